#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace orrery {

/// A row number that cannot be confused with another table's row number: `RankId{3} == StageId{3}`
/// does not compile.
template <class Tag>
struct Index {
  std::int32_t value = 0;

  constexpr Index() = default;
  constexpr explicit Index(std::int32_t v) : value(v) {}
  constexpr explicit Index(std::size_t v) : value(static_cast<std::int32_t>(v)) {}

  /// The id as a subscript.
  [[nodiscard]] constexpr std::size_t at() const { return static_cast<std::size_t>(value); }
  constexpr auto operator<=>(const Index&) const = default;
};

using RankId = Index<struct RankTag>;              ///< pipeline rank inside one pipeline
using GpuId = Index<struct GpuTag>;                ///< global rank of a GPU in the cluster
using StageId = Index<struct StageTag>;            ///< pipeline stage (chunk of layers)
using MicrobatchId = Index<struct MicrobatchTag>;  ///< microbatch inside one step
using TaskId = Index<struct TaskTag>;              ///< task of a task graph
using ResourceId = Index<struct ResourceTag>;      ///< lane that runs one task at a time
using NameId = Index<struct NameTag>;              ///< interned name

}  // namespace orrery
