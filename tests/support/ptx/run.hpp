// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <recal/backend/cuda/context.hpp>

#include "tests/support/ptx/instruction.hpp"
#include "tests/support/ptx/memory.hpp"

namespace recal::testing::ptx {

/// Executes an entry. kernel: the bytes of its parameter
void run(const Entry& entry, const cuda::Launch& launch, const void* kernel, std::size_t bytes, Memory& memory);

}  // namespace recal::testing::ptx
