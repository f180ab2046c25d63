#include "sim/hw/sourced.hpp"

namespace orrery {

const std::vector<std::string>& origin_names() {
  static const std::vector<std::string> kNames{"measured", "published", "datasheet", "fitted", "assumed"};
  return kNames;
}

const char* to_text(Origin origin) {
  return origin_names()[static_cast<std::size_t>(origin)].c_str();
}

}  // namespace orrery
