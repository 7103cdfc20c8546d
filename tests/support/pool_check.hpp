// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/pool/style_pool.hpp>

#include "tests/support/derivative.hpp"
#include "tests/support/noise.hpp"

namespace recal::testing {

template <StylePool P>
using Style = std::array<double, P::width>;

/// t of a plane, on the processor unless another team is given.
template <StylePool P, class T, class Team = Cpu::Team>
[[nodiscard]] Style<P> style_of(const P& pool, std::span<const T> plane, const Team& team = {}) {
  const auto count = static_cast<Index>(plane.size());
  Style<P> t{};
  pool.finish(team.reduce(pool, count, plane.data()), count, t.data());
  return t;
}

template <StylePool P, class T>
[[nodiscard]] Style<P> style_of(const P& pool, const Buffer<T>& plane) {
  return style_of(pool, std::span<const T>(plane));
}

/// dx of a plane for dL/dt = (1, -0.6, ...), by the rule of Pull.
template <StylePool P>
[[nodiscard]] Buffer<double> pulled(const P& pool, const Buffer<double>& plane, const Style<P>& dt) {
  const auto t = style_of(pool, plane);
  const Pull pull = pool.pull(t.data(), dt.data(), static_cast<Index>(plane.size()));
  Buffer<double> dx(plane.size());
  bool picked = pull.pick == 0;
  for (std::size_t k = 0; k < plane.size(); ++k) {
    dx[k] = pull.p + pull.q * (plane[k] - pull.centre);
    if (!picked && plane[k] == pull.picked) {
      dx[k] += pull.pick;
      picked = true;
    }
  }
  return dx;
}

/// How far a pool's pull is from difference quotients, on a plane of random numbers in [lo, hi).
template <StylePool P>
[[nodiscard]] double pool_gradient_error(const P& pool, Index count, double lo = -1, double hi = 1) {
  Buffer<double> plane = noise("plane", count, lo, hi);
  Style<P> dt{};
  for (std::size_t d = 0; d < dt.size(); ++d) dt[d] = d == 0 ? 1.0 : -0.6;
  return gradient_error(pulled(pool, plane, dt), plane, [&] {
    const auto t = style_of(pool, std::span<const double>(plane), Reference::Team{});
    double sum = 0;
    for (std::size_t d = 0; d < dt.size(); ++d) sum += dt[d] * t[d];
    return sum;
  });
}

}  // namespace recal::testing
