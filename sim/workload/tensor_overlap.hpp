#pragma once

#include "sim/workload/blocks.hpp"

namespace orrery {

/// Which layers have their products cut for Layout::tp_overlap = products.
enum class CutProducts {
  kNo,   ///< the output head: a plain column-parallel layer
  kYes,  ///< layers of Transformer Engine
};

/// Completes a piece of work that gathers and reduces over tensor-parallel ranks; without them it changes
/// nothing. In this order:
/// - Sequence parallelism keeps a rank's part of a product's input, so the whole is gathered once more for
///   the weight gradient (arXiv 2205.05198, 4.2.2).
/// - Per-tensor FP8 is cast before it is gathered: a byte a value travels (Transformer Engine).
/// - `weight-gradients`: that second gather runs beside the input gradient's product, the reduction of the
///   input gradient beside the weight gradients' products.
/// - `products`: a gather and the product behind it, a product and the reduction behind it, run in tp pieces
///   side by side; the pieces' products are costed as the smaller ones that they are.
void overlap_tensor_parallel(const BlockContext& c, CutProducts cut, LayerWork& work);

}  // namespace orrery
