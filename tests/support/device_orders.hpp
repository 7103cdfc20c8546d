// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include <doctest/doctest.h>

#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/core/tensor.hpp>

#include "tests/support/host_run/machine.hpp"
#include "tests/support/same_bits.hpp"

namespace recal::testing {

/// f(machine), a tensor, with threads and blocks in forward, reverse and random order; CHECKs that the bits are the
/// same and gives the result.
template <class F>
[[nodiscard]] auto in_every_order(const F& f) {
  const auto expected = f(HostMachine(Schedule::forward()));
  for (const Schedule& schedule : {Schedule::reverse(), Schedule::random(1), Schedule::random(2)})
    CHECK_MESSAGE(same_bits(f(HostMachine(schedule)), expected), "order ", to_string(schedule));
  return expected;
}

/// A tensor in device memory whose samples and channels lie further apart than they must; the gaps hold NaN.
template <class T>
class StridedDeviceTensor {
 public:
  template <cuda::Machine M>
  StridedDeviceTensor(const M& machine, const Tensor<T>& from)
      : shape_(from.shape()), stride_c_(shape_.plane() + 3), stride_n_(shape_.c * stride_c_ + 5) {
    Buffer<T> all(static_cast<std::size_t>(shape_.n * stride_n_ + 1), T(NAN));
    for (Index n = 0; n < shape_.n; ++n)
      for (Index c = 0; c < shape_.c; ++c)
        std::copy_n(from.view().plane(n, c), shape_.plane(), all.data() + n * stride_n_ + c * stride_c_);
    upload(machine, std::span<const T>(all), buffer_);
  }

  [[nodiscard]] TensorView<T> view() const { return {buffer_.data(), shape_, stride_n_, stride_c_}; }

  /// CHECKs that the gaps still hold NaN.
  template <cuda::Machine M>
  [[nodiscard]] Tensor<T> to_host(const M& machine) const {
    const Buffer<T> all = download(machine, buffer_);
    Tensor<T> to(shape_);
    Index numbers = 0;
    for (const T value : all) numbers += value == value;
    CHECK_MESSAGE(numbers <= shape_.size(), "written between planes");
    for (Index n = 0; n < shape_.n; ++n)
      for (Index c = 0; c < shape_.c; ++c)
        std::copy_n(all.data() + n * stride_n_ + c * stride_c_, shape_.plane(), to.view().plane(n, c));
    return to;
  }

 private:
  Shape shape_;
  Index stride_c_;
  Index stride_n_;
  cuda::DeviceBuffer<T> buffer_;
};

}  // namespace recal::testing
