// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>

#include <recal/backend/cuda/context.hpp>

namespace recal::cuda {

namespace detail {

struct ArchetypeKernel {
  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context&) const {}
};

}  // namespace detail

/// What runs kernels and owns device memory, in order and without waiting unless it is said: cuda::Stream on a card,
/// and in the tests a machine that runs the same kernels on the processor.
///
///   machine.launch(launch, kernel)               the kernel in launch.blocks blocks; nothing where blocks is 0
///   machine.allocate(bytes)                      device memory, aligned to 256 bytes, given back with its last owner
///   machine.copy_to_device(to, from, bytes)      from host memory, which may be reused at once
///   machine.copy_to_host(to, from, bytes)        to host memory; waits until it is there
///   machine.clear(to, bytes)                     zeros
///   machine.multiprocessors()                    how many blocks run at once, at least
template <class M>
concept Machine = requires(const M& machine, const Launch& launch, void* device, const void* source,
                           std::size_t bytes) {
  machine.launch(launch, detail::ArchetypeKernel{});
  { machine.allocate(bytes) } -> std::same_as<std::shared_ptr<void>>;
  machine.copy_to_device(device, source, bytes);
  machine.copy_to_host(device, source, bytes);
  machine.clear(device, bytes);
  { machine.multiprocessors() } -> std::same_as<int>;
};

}  // namespace recal::cuda
