// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include <recal/core/host_device.hpp>
#include <recal/core/shape.hpp>

namespace recal::cuda {

/// Threads that run in step and may read each other's registers.
inline constexpr int warp_lanes = 32;

/// L numbers that are loaded or stored by one instruction. requires: an address that is a multiple of its size
template <class T, int L>
struct alignas(sizeof(T) * L) Vector {
  T lane[L];
};

/// What a kernel knows of the thread that runs it, and all that it may do beside arithmetic. A kernel is a trivially
/// copyable struct with
///
///   template <class Context> RECAL_HOST_DEVICE void operator()(const Context& ctx) const;
///
/// On a device the context is DeviceContext. In the tests it is one that runs each thread of a block as a fiber, and
/// checks what it does: every access to memory goes through the context for that reason.
///
///   ctx.block(), ctx.blocks()          which block of how many
///   ctx.thread(), ctx.threads()        which thread of how many in the block
///   ctx.barrier()                      all threads of the block; also orders their accesses to memory
///   ctx.shuffle(value, lane)           the value of that lane of the warp; all 32 lanes must take part
///   ctx.shuffle_down(value, by)        the value of the lane `by` higher; one's own where there is none; all 32 lanes
///   ctx.template shared<T>(offset, n)  n elements of the block's shared memory, from byte `offset` on: an object s
///                                      with s.get(i) and s.set(i, value); uninitialised
///   ctx.load(p), ctx.store(p, value)   an element or a Vector of global memory
template <class C>
concept ThreadContext = requires(const C& ctx, float number, double wide, int lane, const float* from, float* to) {
  { ctx.block() } -> std::same_as<Index>;
  { ctx.blocks() } -> std::same_as<Index>;
  { ctx.thread() } -> std::same_as<int>;
  { ctx.threads() } -> std::same_as<int>;
  ctx.barrier();
  { ctx.shuffle(number, lane) } -> std::same_as<float>;
  { ctx.shuffle(wide, lane) } -> std::same_as<double>;
  { ctx.shuffle_down(number, lane) } -> std::same_as<float>;
  { ctx.template shared<double>(lane, lane).get(lane) } -> std::same_as<double>;
  ctx.template shared<double>(lane, lane).set(lane, wide);
  { ctx.load(from) } -> std::same_as<float>;
  ctx.store(to, number);
};

/// How many blocks of how many threads run a kernel, and the bytes of shared memory that each block has.
struct Launch {
  Index blocks = 1;
  int threads = 128;  ///< a multiple of 32, at most 1024
  int shared_bytes = 0;
};

#if defined(__CUDACC__)

/// A thread on a device.
struct DeviceContext {
  template <class T>
  struct Shared {
    T* first;
    [[nodiscard]] __device__ T get(int i) const { return first[i]; }
    __device__ void set(int i, T value) const { first[i] = value; }
  };

  [[nodiscard]] __device__ Index block() const { return static_cast<Index>(blockIdx.x); }
  [[nodiscard]] __device__ Index blocks() const { return static_cast<Index>(gridDim.x); }
  [[nodiscard]] __device__ int thread() const { return static_cast<int>(threadIdx.x); }
  [[nodiscard]] __device__ int threads() const { return static_cast<int>(blockDim.x); }

  __device__ void barrier() const { __syncthreads(); }

  template <class T>
  [[nodiscard]] __device__ T shuffle(T value, int lane) const {
    return __shfl_sync(0xffffffffU, value, lane);
  }
  template <class T>
  [[nodiscard]] __device__ T shuffle_down(T value, int by) const {
    return __shfl_down_sync(0xffffffffU, value, static_cast<unsigned>(by));
  }

  template <class T>
  [[nodiscard]] __device__ Shared<T> shared(int offset, int) const {
    extern __shared__ __align__(16) unsigned char recal_shared_memory[];
    return {reinterpret_cast<T*>(recal_shared_memory + offset)};
  }

  template <class T>
  [[nodiscard]] __device__ T load(const T* from) const {
    return *from;
  }
  template <class T>
  __device__ void store(T* to, const T& value) const {
    *to = value;
  }
};

/// The one entry through which every kernel is launched.
template <class Kernel>
__global__ void entry(const Kernel kernel) {
  static_assert(std::is_trivially_copyable_v<Kernel>, "recal: a kernel must be trivially copyable");
  kernel(DeviceContext{});
}

#endif

}  // namespace recal::cuda
