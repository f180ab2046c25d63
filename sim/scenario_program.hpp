#pragma once

#include <functional>
#include <string_view>

#include "sim/scenario.hpp"

namespace orrery {

/// What a training program does by itself, where the user does not say otherwise: attention, dropout, format
/// of gradients, overlap of tensor parallelism. `training.precision` is set before; a stack without a name
/// changes nothing.
void set_program(const SoftwareStack& stack, Training& training, Layout& layout);

/// The same for a scenario of a user, who gave the keys that `given` knows; what the stack or a rule decided
/// is added to the assumptions.
void resolve_program(Scenario& scenario, const std::function<bool(std::string_view)>& given);

}  // namespace orrery
