// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <cuda_runtime_api.h>

#include <recal/backend/cuda/device_facts.hpp>
#include <recal/backend/cuda/machine.hpp>
#include <recal/backend/cuda/runtime_error.hpp>

namespace recal::cuda {

namespace detail {

/// A type's name as the compiler writes it.
template <class T>
[[nodiscard]] std::string_view type_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  const std::size_t begin = text.find("T = ");
  if (begin == std::string_view::npos) return text;
  text.remove_prefix(begin + 4);
  return text.substr(0, text.find_last_not_of("];") + 1);
}

}  // namespace detail

/// A stream of the CUDA runtime as a Machine: work is done in order on the device and the host does not wait for it,
/// except in copy_to_host() and wait(). A small value; the stream is the caller's, and lives longer than all memory
/// that was allocated on it. Use it while the device that the stream belongs to is the current one.
///
///   recal::cuda::Stream stream;                 the default stream
///   recal::cuda::Stream mine{cuda_stream};      a cudaStream_t
///
/// Files that launch are compiled by nvcc (-std=c++20 --expt-relaxed-constexpr); memory and copies take any compiler.
/// errors: recal::error, what was being done with the name and the words of the CUDA error. Errors of kernels that were
///         launched before come up in the next call that meets them
class Stream {
 public:
  /// errors: no driver, no device (ask available() first)
  explicit Stream(cudaStream_t stream = nullptr) : stream_(stream), facts_(current_device_facts()) {}

  [[nodiscard]] cudaStream_t handle() const noexcept { return stream_; }

  /// Defined where nvcc compiles; elsewhere a linker asks for it.
  template <class Kernel>
  void launch(const Launch& launch, const Kernel& kernel) const;

  /// Memory in the order of the stream (cudaMallocAsync), so that nothing waits when it is given back: the next who
  /// gets it comes later on the stream. Where the device has no memory pools, cudaMalloc and cudaFree, which wait.
  /// Pools give memory back to the system when the device is waited for, unless cudaMemPoolAttrReleaseThreshold says
  /// otherwise.
  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes) const {
    if (bytes == 0) return nullptr;
    void* memory = nullptr;
    if (!facts_.memory_pools) {
      check_runtime(cudaMalloc(&memory, bytes), "allocating ", bytes, " bytes on the device");
      return {memory, [](void* p) { cudaFree(p); }};
    }
    check_runtime(cudaMallocAsync(&memory, bytes, stream_), "allocating ", bytes, " bytes on the device");
    return {memory, [stream = stream_](void* p) { cudaFreeAsync(p, stream); }};
  }

  /// Pageable memory (new, malloc, std::vector) is staged by the runtime before the call returns. Page-locked and
  /// managed memory is not: then the stream is waited for, so that it may be reused at once too.
  void copy_to_device(void* to, const void* from, std::size_t bytes) const {
    check_runtime(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "copying ", bytes,
                  " bytes to the device");
    cudaPointerAttributes attributes{};
    check_runtime(cudaPointerGetAttributes(&attributes, from), "asking what memory a copy to the device comes from");
    if (attributes.type != cudaMemoryTypeUnregistered) wait();
  }

  /// Waits for all work on the stream.
  void copy_to_host(void* to, const void* from, std::size_t bytes) const {
    check_runtime(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "copying ", bytes,
                  " bytes to the host");
    wait();
  }

  void clear(void* to, std::size_t bytes) const {
    check_runtime(cudaMemsetAsync(to, 0, bytes, stream_), "clearing ", bytes, " bytes on the device");
  }

  [[nodiscard]] int multiprocessors() const noexcept { return facts_.multiprocessors; }

  /// Until everything that the stream was given is done.
  void wait() const { check_runtime(cudaStreamSynchronize(stream_), "waiting for the device"); }

 private:
  cudaStream_t stream_;
  DeviceFacts facts_;
};

#if defined(__CUDACC__)

template <class Kernel>
void Stream::launch(const Launch& launch, const Kernel& kernel) const {
  if (launch.blocks == 0) return;
  check(launch.blocks > 0 && launch.blocks <= INT32_MAX, "launching ", detail::type_name<Kernel>(), ": ", launch.blocks,
        " blocks, at most 2^31 - 1 are possible");
  entry<Kernel><<<static_cast<unsigned>(launch.blocks), static_cast<unsigned>(launch.threads),
                  static_cast<std::size_t>(launch.shared_bytes), stream_>>>(kernel);
  check_runtime(cudaGetLastError(), "launching ", detail::type_name<Kernel>());
}

#endif

}  // namespace recal::cuda
