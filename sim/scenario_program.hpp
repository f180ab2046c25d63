#pragma once

#include "sim/hw/software_stack.hpp"
#include "sim/layout/layout.hpp"

namespace orrery {

/// What a training program does by itself, where the user does not say otherwise: attention, dropout, format
/// of gradients, overlap of tensor parallelism. `training.precision` is set before; a stack without a name
/// changes nothing.
void set_program(const SoftwareStack& stack, Training& training, Layout& layout);

}  // namespace orrery
