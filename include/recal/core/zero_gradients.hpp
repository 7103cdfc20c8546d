// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/core/parallel.hpp>
#include <recal/core/visit.hpp>

namespace recal {

namespace detail {

/// Zeros from `first` on, many of them by all threads.
template <class T>
void fill_zeros(T* first, Index count) {
  constexpr Index piece = Index{1} << 16U;
  parallel_for((count + piece - 1) / piece,
               [&](Index i) { std::fill_n(first + i * piece, std::min(piece, count - i * piece), T{}); });
}

}  // namespace detail

/// ensures: every gradient is zero; cost: one write of all gradients, long ones shared out among the threads
template <class Layer>
void zero_gradients(Layer& layer) {
  for_each_parameter(layer, [](auto& parameter) {
    detail::fill_zeros(parameter.grad.data(), static_cast<Index>(parameter.grad.size()));
  });
}

}  // namespace recal
