// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/core/buffer.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>

/// A channel's numbers, statistics and gradients among them: with a pack as A those of as many channels from i on as it
/// has lanes.
namespace recal::detail {

template <class A, class T>
[[nodiscard]] A numbers_at(const Buffer<T>& numbers, Index i) {
  return load<A>(numbers.data() + i);
}

template <class A, class T>
void add_at(Buffer<T>& numbers, Index i, A more) {
  store(numbers.data() + i, numbers_at<A>(numbers, i) + more);
}

/// numbers <- (1 - momentum) numbers + momentum fresh
template <class A, class T>
void blend_at(Buffer<T>& numbers, Index i, double momentum, A fresh) {
  store(numbers.data() + i, A(1 - momentum) * numbers_at<A>(numbers, i) + A(momentum) * fresh);
}

/// 1 / sqrt(variance + eps)
template <class A>
[[nodiscard]] A inverse_root(A variance, double eps) {
  using std::sqrt;
  return A(1) / sqrt(variance + A(eps));
}

}  // namespace recal::detail
