#pragma once

#include "sim/model/config_reader.hpp"
#include "sim/model/model_spec.hpp"

namespace orrery {

/// Which layers of a model attend to a window, as families of Hugging Face configurations say it. `layers` of
/// the specification is read already. A window of w lets a query see w keys, its own included.

/// `sliding_window` for all layers, or null (Mistral, Mixtral). Where there is a `layer_types` it chooses.
void read_window(ConfigReader& reader, ModelSpec& spec);
/// `sliding_window` stands there but counts only with `use_sliding_window`, for the layers from
/// `max_window_layers` on or, in newer files, for those of `layer_types` (Qwen).
void read_switched_window(ConfigReader& reader, ModelSpec& spec);
/// `sliding_window` and `layer_types`, "sliding_attention" or "full_attention" for each layer (GPT-OSS).
void read_listed_windows(ConfigReader& reader, ModelSpec& spec);

}  // namespace orrery
