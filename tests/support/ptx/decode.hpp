// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/ptx/decoder.hpp"

namespace recal::testing::ptx::decode {

/// errors: an instruction, a modifier, a type or an operand that is not known, with its line
[[nodiscard]] Decoder decoded(const Statement& statement, Function& function, const Symbols& symbols);

}  // namespace recal::testing::ptx::decode
