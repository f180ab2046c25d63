#pragma once

#include <string>

#include "sim/base/check.hpp"

namespace orrery::test {

/// What an InputError says, "" when nothing was thrown.
template <class F>
std::string complaint(F&& action) {
  try {
    (void)action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace orrery::test
