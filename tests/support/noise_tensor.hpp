// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <recal/core/random.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/visit.hpp>

namespace recal::testing {

/// A tensor spread evenly over offset +- spread.
template <class T>
[[nodiscard]] Tensor<T> noise(const Shape& shape, std::uint64_t seed, double spread = 1, double offset = 0) {
  Tensor<T> x(shape);
  for (Index i = 0; i < x.size(); ++i)
    x.data()[i] = T(static_cast<float>(offset + spread * (2 * random_unit(seed, static_cast<std::uint64_t>(i)) - 1)));
  return x;
}

/// Moves every parameter by up to +-spread, so that nothing stands at a special value.
template <class Layer>
void stir_parameters(Layer& layer, std::uint64_t seed, double spread = 0.5) {
  std::uint64_t next = 0;
  for_each_parameter(layer, [&](auto& parameter) {
    for (auto& value : parameter.value) {
      using T = std::remove_cvref_t<decltype(value)>;
      value += static_cast<T>(spread * (2 * random_unit(seed, next++) - 1));
    }
  });
}

}  // namespace recal::testing
