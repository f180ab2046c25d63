#include "calibrate/probe/cuda/cudnn_attention.hpp"

namespace orrery {

std::unique_ptr<CudnnAttention> make_cudnn_attention(const AttentionArguments&, int, int) {
  unsupported("this program was built without cuDNN (cudnn_graph.h was not found)");
}

}  // namespace orrery
