// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/tensor.hpp>

namespace recal::testing {

template <class T>
[[nodiscard]] Tensor<T> rounded(const Tensor<float>& x) {
  Tensor<T> to(x.shape());
  for (Index i = 0; i < x.size(); ++i) to.data()[i] = T(x.data()[i]);
  return to;
}

template <class T>
[[nodiscard]] Tensor<float> widened(const Tensor<T>& x) {
  Tensor<float> to(x.shape());
  for (Index i = 0; i < x.size(); ++i) to.data()[i] = static_cast<float>(x.data()[i]);
  return to;
}

}  // namespace recal::testing
