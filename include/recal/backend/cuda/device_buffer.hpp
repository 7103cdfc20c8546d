// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include <recal/backend/cuda/machine.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/error.hpp>
#include <recal/core/tensor.hpp>

namespace recal::cuda {

/// An array in device memory. Copies share it; the last owner gives it back.
template <class T>
class DeviceBuffer {
  static_assert(std::is_trivially_copyable_v<T>, "recal: only trivially copyable elements go to a device");

 public:
  DeviceBuffer() = default;

  template <Machine M>
  DeviceBuffer(const M& machine, Index count) {
    resize(machine, count);
  }

  /// ensures: size() == count; memory is kept where it suffices; elements are unspecified
  template <Machine M>
  void resize(const M& machine, Index count) {
    if (count > capacity_) {
      memory_ = machine.allocate(static_cast<std::size_t>(count) * sizeof(T));
      capacity_ = count;
    }
    size_ = count;
  }

  [[nodiscard]] Index size() const noexcept { return size_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return static_cast<std::size_t>(size_) * sizeof(T); }
  [[nodiscard]] T* data() const noexcept { return static_cast<T*>(memory_.get()); }

 private:
  std::shared_ptr<void> memory_;
  Index size_ = 0;
  Index capacity_ = 0;
};

/// ensures: `to` holds the elements of `from`, which may be reused at once
template <Machine M, class T>
void upload(const M& machine, std::span<const T> from, DeviceBuffer<T>& to) {
  to.resize(machine, static_cast<Index>(from.size()));
  if (!from.empty()) machine.copy_to_device(to.data(), from.data(), from.size_bytes());
}

/// Waits for everything that the machine was given before.
template <Machine M, class T>
[[nodiscard]] Buffer<T> download(const M& machine, const DeviceBuffer<T>& from) {
  Buffer<T> to(static_cast<std::size_t>(from.size()));
  if (from.size() > 0) machine.copy_to_host(to.data(), from.data(), from.bytes());
  return to;
}

template <Machine M, class T>
void clear(const M& machine, DeviceBuffer<T>& buffer) {
  if (buffer.size() > 0) machine.clear(buffer.data(), buffer.bytes());
}

/// An NCHW tensor in device memory, contiguous. Its views are for kernels: the host must not follow their pointers.
template <class T>
class DeviceTensor {
 public:
  DeviceTensor() = default;

  /// Elements are not initialised.
  template <Machine M>
  DeviceTensor(const M& machine, const Shape& shape) {
    resize(machine, shape);
  }

  template <Machine M>
  DeviceTensor(const M& machine, const Tensor<T>& from) {
    copy_from(machine, from);
  }

  template <Machine M>
  void resize(const M& machine, const Shape& shape) {
    buffer_.resize(machine, shape.size());
    shape_ = shape;
  }

  template <Machine M>
  void copy_from(const M& machine, const Tensor<T>& from) {
    upload(machine, std::span<const T>(from.data(), static_cast<std::size_t>(from.size())), buffer_);
    shape_ = from.shape();
  }

  template <Machine M>
  [[nodiscard]] Tensor<T> to_host(const M& machine) const {
    Tensor<T> to(shape_);
    if (shape_.size() > 0) machine.copy_to_host(to.data(), buffer_.data(), buffer_.bytes());
    return to;
  }

  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] TensorView<T> view() const noexcept { return {buffer_.data(), shape_}; }

 private:
  Shape shape_;
  DeviceBuffer<T> buffer_;
};

}  // namespace recal::cuda

/// So that a device tensor is taken wherever a view is.
template <class T>
struct recal::tensor_traits<recal::cuda::DeviceTensor<T>> {
  using scalar = T;
  using layout = row_major_planes;
  static TensorView<T> view(const cuda::DeviceTensor<T>& x) noexcept { return x.view(); }
};
