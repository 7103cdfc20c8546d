// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>

namespace recal::testing::ptx {

/// What a run moved through global memory, and how many instructions its threads executed.
struct Traffic {
  std::uint64_t bytes_loaded = 0;
  std::uint64_t bytes_stored = 0;
  std::uint64_t loads = 0;
  std::uint64_t stores = 0;
  std::uint64_t loads_128 = 0;  ///< of 16 bytes by one instruction of one thread
  std::uint64_t stores_128 = 0;
  std::uint64_t instructions = 0;
  std::uint64_t coalesced_loaded = 0;  ///< what the lanes of a warp read together counts once
  std::uint64_t coalesced_stored = 0;
};

/// The global memory that kernels may touch. Addresses are the host's own.
class Memory {
 public:
  void add(const void* first, std::size_t bytes, bool writable = true) {
    ranges_[address(first)] = {address(first), address(first) + bytes, writable};
    last_ = {};
  }
  void remove(const void* first) {
    ranges_.erase(address(first));
    last_ = {};
  }

  /// Whether all these bytes lie in one range that may be used so.
  [[nodiscard]] bool holds(std::uint64_t first, std::size_t bytes, bool to_write) const {
    if (!last_.holds(first, bytes)) {
      auto found = ranges_.upper_bound(first);
      if (found == ranges_.begin()) return false;
      last_ = std::prev(found)->second;
    }
    return last_.holds(first, bytes) && (!to_write || last_.writable);
  }

  Traffic traffic;

  [[nodiscard]] static std::uint64_t address(const void* pointer) {
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(pointer));
  }

 private:
  struct Range {
    std::uint64_t first = 1;
    std::uint64_t end = 0;
    bool writable = false;
    [[nodiscard]] bool holds(std::uint64_t at, std::size_t bytes) const {
      return at >= first && at <= end && bytes <= end - at;
    }
  };
  std::map<std::uint64_t, Range> ranges_;
  mutable Range last_;
};

}  // namespace recal::testing::ptx
