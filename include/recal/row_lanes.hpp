// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include <recal/core/for_each_lanes.hpp>
#include <recal/core/interleaved.hpp>
#include <recal/core/shape.hpp>
#include <recal/gate/gate.hpp>
#include <recal/groups.hpp>

/// The numbers of the rows of a run of planes, several planes at once where their rows lie together.
namespace recal::detail {

/// f(i, a) on the planes of a run, as for_each_lanes; one by one where their rows lie apart, or without `packs`.
template <bool packs = true, class F>
void for_each_row_lanes(const RunRows& rows, Index planes, const F& f) {
  if constexpr (packs)
    if (rows.step == 1) return for_each_lanes(planes, f);
  for (Index i = 0; i < planes; ++i) f(i, double{});
}

/// Into the rows of the planes [i, i + planes): D numbers each, which the first lanes of an A have.
template <class A, std::size_t D>
[[gnu::always_inline]] inline void store_rows(double* numbers, const RunRows& rows, Index i, Index planes,
                                              const std::array<A, D>& own) {
  constexpr auto width = static_cast<Index>(D);
  if constexpr (std::is_arithmetic_v<A>) {
    store_interleaved(numbers + rows[i] * width, own);
  } else {
    if (rows.step == 1 && planes == A::lanes) return store_interleaved(numbers + rows[i] * width, own);
    for (Index p = 0; p < planes; ++p)
      for (std::size_t d = 0; d < D; ++d) numbers[rows[i + p] * width + static_cast<Index>(d)] = own[d].v[p];
  }
}

/// Scale and shift of gates as the numbers of rows, two each.
[[nodiscard]] inline double* numbers_of(Affine* gates) {
  static_assert(sizeof(Affine) == 2 * sizeof(double));
  return reinterpret_cast<double*>(gates);
}

/// Scale and shift of a gate, or of as many from it on as A has lanes.
template <class A>
[[nodiscard, gnu::always_inline]] inline std::array<A, 2> load_gates(const Affine* gates) {
  return load_interleaved<A, 2>(reinterpret_cast<const double*>(gates));
}

}  // namespace recal::detail
