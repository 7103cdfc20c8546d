// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

#include "tests/support/host_run/shadow.hpp"

namespace recal::testing {

/// The shared memory of the block that runs.
class SharedMemory {
 public:
  void begin_block(int bytes) {
    bytes_.resize(static_cast<std::size_t>(bytes));
    if (bytes > 0) std::memset(bytes_.data(), 0xff, bytes_.size());  // NaN
    shadow_.cover(bytes_.size());
  }

  [[nodiscard]] std::byte* at(std::size_t offset) { return bytes_.data() + offset; }
  [[nodiscard]] Shadow& shadow() { return shadow_; }

 private:
  std::vector<std::byte> bytes_;
  Shadow shadow_;
};

}  // namespace recal::testing
