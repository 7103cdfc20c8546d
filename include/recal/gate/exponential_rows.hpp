// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include <recal/core/exp.hpp>
#include <recal/core/one_body.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/gate/gate.hpp>

/// Gates that are made of one exponential each, on many rows at once: those next to each other share a pack. One body
/// each, so that a gate does not depend on who asks.
namespace recal::detail {

/// exp(-rate |z|)
template <class P>
[[nodiscard, gnu::always_inline]] inline P decay(P z, double rate) {
  return exp(P(-rate) * max(z, -z));
}

/// f(first row, z of a pack of rows, how many of them there are) for `count` rows.
template <class F>
[[gnu::always_inline]] inline void for_each_pack(Index count, const double* z, const F& f) {
  using P = pack_for<double>;
  Index i = 0;
  for (; i + P::lanes <= count; i += P::lanes) f(i, load<P>(z + i), P::lanes);
  if (i == count) return;
  std::array<double, static_cast<std::size_t>(P::lanes)> rest{};
  std::copy(z + i, z + count, rest.begin());
  f(i, load<P>(rest.data()), static_cast<int>(count - i));
}

template <class G>
RECAL_ONE_BODY void open_exponential(Index count, const double* z, Affine* gates) {
  for_each_pack(count, z, [&](Index first, pack_for<double> own, int rows) {
    const auto scale = G::scale(own, decay(own, G::rate));
    for (int i = 0; i < rows; ++i) gates[first + i] = {.scale = scale.v[i]};
  });
}

template <class G>
RECAL_ONE_BODY void pull_exponential(Index count, const double* z, const Affine* grad, double* dz) {
  for_each_pack(count, z, [&](Index first, pack_for<double> own, int rows) {
    pack_for<double> scale(0);
    for (int i = 0; i < rows; ++i) scale.v[i] = grad[first + i].scale;
    const auto pulled = G::pull(scale, decay(own, G::rate));
    for (int i = 0; i < rows; ++i) dz[first + i] = pulled.v[i];
  });
}

}  // namespace recal::detail
