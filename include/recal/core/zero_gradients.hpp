// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>

#include <recal/core/parallel.hpp>
#include <recal/core/visit.hpp>

namespace recal {

/// ensures: every gradient is zero; cost: one write of all gradients, long ones shared out among the threads
template <class Layer>
void zero_gradients(Layer& layer) {
  static constexpr Index piece = Index{1} << 16U;
  for_each_parameter(layer, [](auto& parameter) {
    const auto count = static_cast<Index>(parameter.grad.size());
    auto* grad = parameter.grad.data();
    parallel_for((count + piece - 1) / piece, [&](Index i) {
      std::fill_n(grad + i * piece, std::min(piece, count - i * piece), std::remove_cvref_t<decltype(*grad)>{});
    });
  });
}

}  // namespace recal
