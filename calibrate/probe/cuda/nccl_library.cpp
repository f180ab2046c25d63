#include "calibrate/probe/cuda/nccl_library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "calibrate/probe/cuda/kernels.hpp"

namespace orrery {
namespace {

Nccl load() {
  void* library = nullptr;
  for (const char* path : {"libnccl.so.2", ORRERY_CUDA_LIBRARIES "/libnccl.so.2"}) {
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
  }
  if (library == nullptr) unsupported(std::string("NCCL is not here: ") + dlerror());
  Nccl out;
  const auto find = [&](const char* symbol, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
    if (function == nullptr) unsupported(std::string("NCCL lacks ") + symbol);
  };
  find("ncclGetUniqueId", out.unique_id);
  find("ncclCommInitRankConfig", out.init_rank);
  find("ncclCommAbort", out.abort);
  find("ncclCommFinalize", out.finalize);
  find("ncclCommDestroy", out.destroy);
  find("ncclCommGetAsyncError", out.async_error);
  find("ncclGetErrorString", out.error_string);
  find("ncclGetVersion", out.version);
  find("ncclGroupStart", out.group_start);
  find("ncclGroupEnd", out.group_end);
  find("ncclSend", out.send);
  find("ncclRecv", out.recv);
  find("ncclAllReduce", out.all_reduce);
  find("ncclAllGather", out.all_gather);
  find("ncclReduceScatter", out.reduce_scatter);
  return out;
}

std::uint32_t seed_of(std::int64_t rank) {
  return 77U + static_cast<std::uint32_t>(rank);
}

}  // namespace

const Nccl& nccl() {
  static const Nccl functions = load();
  return functions;
}

NcclRank::~NcclRank() {
  if (stream == nullptr && comm == nullptr) return;
  cudaSetDevice(device);
  if (comm != nullptr) nccl().abort(comm);
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  cudaStreamDestroy(stream);
}

void NcclRank::make(int on_device, int index, std::int64_t elements) {
  device = on_device;
  check(cudaSetDevice(device), "device");
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  check(cudaEventCreate(&begin), "event");
  check(cudaEventCreate(&end), "event");
  from = Buffer(2 * elements);
  to = Buffer(2 * elements);
  check(launch_fill(Fill::kBf16, from.data(), elements, seed_of(index), stream), "fill");
  to.poison(stream);
}

std::int64_t collective_elements(const Case& what, int count) {
  const std::int64_t elements = size_of(what.shape, "bytes") / 2 / count * count;
  if (elements < count) unsupported("needs an element for each GPU");
  return elements;
}

ncclResult_t enqueue_collective(std::string_view kind, std::int64_t elements, int index, int count,
                                const NcclRank& rank) {
  const std::int64_t part = elements / count;
  const auto* from = rank.from.as<std::uint16_t>();
  auto* to = rank.to.as<std::uint16_t>();
  const auto whole = static_cast<std::size_t>(elements), piece = static_cast<std::size_t>(part);
  ncclResult_t worst = ncclSuccess;
  const auto note = [&](ncclResult_t result) {
    if (worst == ncclSuccess && result != ncclInProgress) worst = result;
  };
  if (kind == "all-reduce") {
    note(nccl().all_reduce(from, to, whole, ncclBfloat16, ncclSum, rank.comm, rank.stream));
  } else if (kind == "all-gather") {
    note(nccl().all_gather(from, to, piece, ncclBfloat16, rank.comm, rank.stream));
  } else if (kind == "reduce-scatter") {
    note(nccl().reduce_scatter(from, to, piece, ncclBfloat16, ncclSum, rank.comm, rank.stream));
  } else if (kind == "all-to-all") {
    for (int peer = 0; peer < count; ++peer) {
      note(nccl().send(from + peer * part, piece, ncclBfloat16, peer, rank.comm, rank.stream));
      note(nccl().recv(to + peer * part, piece, ncclBfloat16, peer, rank.comm, rank.stream));
    }
  } else {
    note(nccl().send(from, whole, ncclBfloat16, (index + 1) % count, rank.comm, rank.stream));
    note(nccl().recv(to, whole, ncclBfloat16, (index + count - 1) % count, rank.comm, rank.stream));
  }
  return worst;
}

void compare_collective(std::string_view kind, std::int64_t elements, int index, int count,
                        const NcclRank& rank, Distance& distance) {
  const std::int64_t part = elements / count;
  const auto x = [&](std::int64_t of, std::int64_t i) {
    return static_cast<double>(round_to_bf16(random_normal(seed_of(of), static_cast<std::uint64_t>(i))));
  };
  check(cudaSetDevice(rank.device), "device");
  const std::int64_t held = kind == "reduce-scatter" ? part : elements;
  for (const std::int64_t i : {std::int64_t{0}, held / 2, held - 1}) {
    double expected = 0;
    if (kind == "all-reduce") {
      for (std::int64_t q = 0; q < count; ++q) expected += x(q, i);
    } else if (kind == "reduce-scatter") {
      for (std::int64_t q = 0; q < count; ++q) expected += x(q, index * part + i);
    } else if (kind == "all-gather") {
      expected = x(i / part, i % part);
    } else if (kind == "all-to-all") {
      expected = x(i / part, index * part + i % part);
    } else {
      expected = x((index + count - 1) % count, i);
    }
    distance.add(static_cast<double>(from_bf16(download(rank.to.as<std::uint16_t>(), i, 1, rank.stream)[0])),
                 expected);
  }
}

double collective_error_limit(int count) {
  return 2e-2 * std::max(1.0, std::sqrt(count / 64.0));
}

}  // namespace orrery
