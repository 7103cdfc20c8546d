// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include <recal/backend/cuda/machine.hpp>

namespace recal::testing {

/// A machine for nvcc alone: that a launch names entry<Kernel> makes nvcc compile it. Nothing calls it.
struct Instantiate {
  template <class Kernel>
  void launch(const cuda::Launch& launch, const Kernel& kernel) const {
    cuda::entry<Kernel><<<static_cast<unsigned>(launch.blocks), static_cast<unsigned>(launch.threads)>>>(kernel);
  }
  std::shared_ptr<void> allocate(std::size_t) const { return {}; }
  void copy_to_device(void*, const void*, std::size_t) const {}
  void copy_to_host(void*, const void*, std::size_t) const {}
  void clear(void*, std::size_t) const {}
  int multiprocessors() const { return 1; }
};

}  // namespace recal::testing
