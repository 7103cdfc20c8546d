// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace animals {

/// From now on the first Ctrl-C (SIGINT) or SIGTERM only turns the flag true, so that work can be saved; the second one
/// ends the program.
[[nodiscard]] const std::atomic<bool>& catch_interrupts();

}  // namespace animals
