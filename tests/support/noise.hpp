// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <recal/core/buffer.hpp>
#include <recal/core/visit.hpp>

#include "tests/support/fill.hpp"

namespace recal::testing {

/// `count` numbers in [lo, hi), a function of the arguments.
template <class T = double>
[[nodiscard]] Buffer<T> noise(std::string_view name, Index count, double lo = -1, double hi = 1) {
  Buffer<T> values(static_cast<std::size_t>(count));
  fill(name, lo, hi, values.data(), count);
  return values;
}

/// Spreads every parameter over [lo, hi).
template <class Layer>
void randomise(Layer& layer, double lo = -1, double hi = 1) {
  for_each_parameter(layer, [&](const std::string& name, auto& parameter) {
    fill(name, lo, hi, parameter.value.data(), parameter.size());
  });
}

}  // namespace recal::testing
