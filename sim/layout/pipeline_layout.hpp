#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// Layers per stage from Megatron-LM's `--pipeline-model-parallel-layout` notation: stages separated by `|`,
/// `E` embedding, `t` transformer layer, `m` MTP module, `L` loss; `x*n` and `(...)*n` repeat, commas are
/// blanks. Stages count in the order of the forward pass, virtual ones included: "Et*3|(tt|)*29,m|L". Here
/// the embedding stands in the first stage and MTP modules and loss in the last; anything else is an
/// InputError at `place` with the column, like any other text that does not fit the notation.
[[nodiscard]] std::vector<std::int64_t> parse_pipeline_layout(std::string_view text,
                                                              const std::string& place);

/// Inverse of `parse_pipeline_layout` up to abbreviation: "Et*4|t*4|tmL".
[[nodiscard]] std::string pipeline_layout_text(const std::vector<std::int64_t>& layers,
                                               std::int64_t mtp_modules);

}  // namespace orrery
