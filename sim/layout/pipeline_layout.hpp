#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// Layers per stage from Megatron-LM's `--pipeline-model-parallel-layout` notation: stages separated by `|`,
/// `E` embedding, `t` transformer layer, `m` MTP module, `L` loss; `x*n` and `(...)*n` repeat, commas are
/// blanks. Stages count in the order of the forward pass, virtual ones included: "Et*3|(tt|)*29,m|L". Here
/// the embedding stands first, all MTP modules in one stage behind the last layer, and the loss last;
/// anything else is an InputError at `place` with the column, like any other text that does not fit the
/// notation.
struct PipelineLayout {
  std::vector<std::int64_t> layers;  ///< [stage]
  std::int64_t mtp_stage = -1;       ///< of the MTP modules; -1: in the last stage, or there are none
  std::int64_t mtp_modules = 0;      ///< how many the text names

  bool operator==(const PipelineLayout&) const = default;
};
[[nodiscard]] PipelineLayout parse_pipeline_layout(std::string_view text, const std::string& place);

/// Inverse of `parse_pipeline_layout` up to abbreviation: "Et*4|t*4|tmL".
[[nodiscard]] std::string pipeline_layout_text(const PipelineLayout& cut);

}  // namespace orrery
