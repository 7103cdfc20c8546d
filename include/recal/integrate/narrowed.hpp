// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

#include <recal/core/buffer.hpp>
#include <recal/core/kept.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/integrate/dense_products.hpp>

/// Doubles that are multiplied in a narrower type A, where nothing overflows on the way.
namespace recal::detail {

/// Rows of doubles in A: themselves where that is double, else a copy.
template <class A>
class Narrowed {
 public:
  Narrowed(Index rows, Index columns, const Rows<const double>& of) : columns_(columns) {
    resize(*copy_, rows * columns);
    for (Index row = 0; row < rows; ++row)
      std::transform(of[row], of[row] + columns, copy_->data() + row * columns,
                     [](double x) { return static_cast<A>(x); });
  }
  [[nodiscard]] Rows<const A> rows() { return {copy_->data(), columns_}; }

 private:
  Kept<Buffer<A>> copy_;
  Index columns_;
};

template <>
class Narrowed<double> {
 public:
  Narrowed(Index, Index, const Rows<const double>& of) : rows_(of) {}
  [[nodiscard]] Rows<const double> rows() const { return rows_; }

 private:
  Rows<const double> rows_;
};

/// f over all numbers, by the pack and by what is left over; the lanes as one in the end.
template <class F>
[[nodiscard]] double fold(std::span<const double> numbers, const F& f) {
  using P = pack_for<double>;
  constexpr auto lanes = static_cast<std::size_t>(P::lanes);
  P all(0);
  std::size_t i = 0;
  for (; i + lanes <= numbers.size(); i += lanes) all = f(all, load<P>(numbers.data() + i));
  double one = 0;
  for (int lane = 0; lane < P::lanes; ++lane) one = f(one, static_cast<double>(all.v[lane]));
  for (; i < numbers.size(); ++i) one = f(one, numbers[i]);
  return one;
}

/// Whether no number is infinite or NaN.
[[nodiscard]] inline bool all_finite(std::span<const double> numbers) {
  return fold(numbers, [](auto zeros, auto x) { return zeros + x * 0; }) == 0;
}

/// The largest absolute value.
[[nodiscard]] inline double largest(std::span<const double> numbers) {
  return fold(numbers, [](auto most, auto x) { return max(most, max(x, -x)); });
}

/// Whether sums of `count` products of an x and a y are far from overflowing in A.
template <class A>
[[nodiscard]] bool products_fit(Index count, std::span<const double> x, std::span<const double> y) {
  constexpr double most = std::numeric_limits<A>::max() / 4;
  const double x_most = largest(x);
  const double y_most = largest(y);
  return x_most <= most && y_most <= most && x_most * y_most * static_cast<double>(count) <= most;
}

}  // namespace recal::detail
