// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include <recal/backend/conv_start.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/core/transpose_lanes.hpp>

namespace recal::cpu {

/// to[j*to_stride + i] = f(from[i*from_stride + j]) for i, j < lanes of a register; f sees the i side by side.
template <class T, class F>
void transpose_square(const T* from, Index from_stride, T* to, Index to_stride, const F& f) {
  using P = pack_for<T>;
  std::array<P, static_cast<std::size_t>(P::lanes)> rows;
  for (int i = 0; i < P::lanes; ++i) rows[static_cast<std::size_t>(i)] = load<P>(from + i * from_stride);
  transpose_lanes(rows);
  for (int j = 0; j < P::lanes; ++j) store(to + j * to_stride, f(rows[static_cast<std::size_t>(j)]));
}

namespace detail {

/// transpose(), with maps.of<A>(i) as the map of row i, or of as many rows as A has lanes.
template <class T, class Maps>
void transpose_mapped(const T* from, Index rows, Index columns, Index from_stride, T* to, Index to_stride,
                      const Maps& maps) {
  using P = pack_for<T>;
  Index i = 0;
  for (; i + P::lanes <= rows; i += P::lanes) {
    const auto f = maps.template of<P>(i);
    Index j = 0;
    for (; j + P::lanes <= columns; j += P::lanes)
      transpose_square(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride, f);
    for (; j < columns; ++j)
      for (Index row = i; row < i + P::lanes; ++row)
        to[j * to_stride + row] = maps.template of<T>(row)(from[row * from_stride + j]);
  }
  for (; i < rows; ++i) {
    const auto f = maps.template of<T>(i);
    for (Index j = 0; j < columns; ++j) to[j * to_stride + i] = f(from[i * from_stride + j]);
  }
}

}  // namespace detail

/// to[j*to_stride + i] = start(from[i*from_stride + j]) for i < rows, j < columns; row i is the start's channel i.
template <class T>
void transpose(const T* from, Index rows, Index columns, Index from_stride, T* to, Index to_stride,
               const ConvStart<T>& start = {}) {
  start.visit(
      [&](const auto& maps) { detail::transpose_mapped(from, rows, columns, from_stride, to, to_stride, maps); });
}

}  // namespace recal::cpu
