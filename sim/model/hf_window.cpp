#include "sim/model/hf_window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orrery {
namespace {

constexpr IntegerRange kWindow{1, 1 << 30};
constexpr IntegerRange kFullLayers{0, 10000};

/// A window in no layer is no window.
void set_window(ModelSpec& spec, std::int64_t window, std::vector<std::int64_t> full_layers) {
  if (static_cast<std::int64_t>(full_layers.size()) >= spec.layers) return;
  spec.sliding_window = window;
  spec.full_layers = std::move(full_layers);
}

}  // namespace

void read_listed_windows(ConfigReader& reader, ModelSpec& spec) {
  const std::int64_t window = reader.integer("sliding_window", kWindow);
  const std::vector<std::string> kinds = reader.texts("layer_types", {"full_attention", "sliding_attention"});
  reader.finish();
  if (static_cast<std::int64_t>(kinds.size()) != spec.layers) {
    reader.fail("layer_types", fmt::format("found {} entries, expected one for each of the {} layers",
                                           kinds.size(), spec.layers));
  }
  std::vector<std::int64_t> full;
  for (std::size_t layer = 0; layer < kinds.size(); ++layer) {
    if (kinds[layer] == "full_attention") full.push_back(static_cast<std::int64_t>(layer));
  }
  set_window(spec, window, std::move(full));
}

void read_window(ConfigReader& reader, ModelSpec& spec) {
  if (!reader.has_value("sliding_window")) return;
  if (reader.has_value("layer_types")) {
    read_listed_windows(reader, spec);
    return;
  }
  set_window(spec, reader.integer("sliding_window", kWindow), {});
}

void read_switched_window(ConfigReader& reader, ModelSpec& spec) {
  if (!reader.flag("use_sliding_window", false)) return;
  if (reader.has_value("layer_types")) {
    read_listed_windows(reader, spec);
    return;
  }
  const std::int64_t window = reader.integer("sliding_window", kWindow);
  const std::int64_t full_layers = reader.integer("max_window_layers", kFullLayers);
  reader.finish();
  std::vector<std::int64_t> full;
  for (std::int64_t layer = 0; layer < std::min(full_layers, spec.layers); ++layer) full.push_back(layer);
  set_window(spec, window, std::move(full));
}

}  // namespace orrery
