// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace recal::testing {

/// What kernels asked of global memory.
struct Traffic {
  std::uint64_t launches = 0;
  std::uint64_t loaded = 0;           ///< bytes
  std::uint64_t stored = 0;           ///< bytes
  std::uint64_t accesses = 0;         ///< loads and stores, of whatever size
  std::uint64_t vector_accesses = 0;  ///< those of 16 bytes

  void count_load(std::size_t bytes) { loaded += bytes, count(bytes); }
  void count_store(std::size_t bytes) { stored += bytes, count(bytes); }

  Traffic& operator+=(const Traffic& other) {
    launches += other.launches;
    loaded += other.loaded;
    stored += other.stored;
    accesses += other.accesses;
    vector_accesses += other.vector_accesses;
    return *this;
  }

  friend bool operator==(const Traffic&, const Traffic&) = default;

 private:
  void count(std::size_t bytes) {
    ++accesses;
    vector_accesses += bytes == 16;
  }
};

}  // namespace recal::testing
