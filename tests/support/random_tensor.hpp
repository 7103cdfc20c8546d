// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include <recal/core/tensor.hpp>

#include "tests/support/fill.hpp"

namespace recal::testing {

/// Numbers in [low, high), a function of name and shape.
template <class T>
[[nodiscard]] Tensor<T> random_tensor(std::string_view name, const Shape& shape, double low = -1, double high = 1) {
  Tensor<T> x(shape);
  fill(name, low, high, x.data(), x.size());
  return x;
}

/// The same numbers in a buffer whose samples and channels lie further apart than they must; the gaps hold NaN.
template <class T>
class StridedTensor {
 public:
  explicit StridedTensor(const Tensor<T>& from) : StridedTensor(from.shape()) {
    for (Index n = 0; n < shape_.n; ++n)
      for (Index c = 0; c < shape_.c; ++c)
        for (Index k = 0; k < shape_.plane(); ++k) view().plane(n, c)[k] = from.view().plane(n, c)[k];
  }
  explicit StridedTensor(const Shape& shape)
      : shape_(shape),
        stride_c_(shape.plane() + 3),
        stride_n_(shape.c * stride_c_ + 5),
        buffer_(static_cast<std::size_t>(shape.n * stride_n_ + 1), static_cast<T>(NAN)) {}

  [[nodiscard]] TensorView<T> view() { return {buffer_.data(), shape_, stride_n_, stride_c_}; }

  /// Whether every number between the planes is still NaN.
  [[nodiscard]] bool gaps_untouched() const {
    Index numbers = 0;
    for (const T value : buffer_) numbers += value == value;
    return numbers <= shape_.size();
  }

 private:
  Shape shape_;
  Index stride_c_;
  Index stride_n_;
  Buffer<T> buffer_;
};

/// Numbers whose planes differ in mean and spread, as feature maps do. Where all planes are alike, a batch norm over
/// samples divides by the little in which they differ, and magnifies the last digits of float on every backend.
[[nodiscard]] inline Tensor<float> feature_maps(const Shape& shape) {
  Tensor<float> x = random_tensor<float>("x", shape);
  const Tensor<float> planes = random_tensor<float>("planes", {shape.n, shape.c, 1, 2});
  for (Index n = 0; n < shape.n; ++n)
    for (Index c = 0; c < shape.c; ++c)
      for (Index k = 0; k < shape.plane(); ++k) {
        float& value = x.view().plane(n, c)[k];
        value = value * (1.0F + 0.5F * planes(n, c, 0, 0)) + planes(n, c, 0, 1);
      }
  return x;
}

/// An integer in [low, high], a function of name and index.
[[nodiscard]] inline Index random_index(std::string_view name, std::uint64_t index, Index low, Index high) {
  return low + static_cast<Index>(uniform_of(name, index) * static_cast<double>(high - low + 1));
}

}  // namespace recal::testing
