// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <recal/core/pack.hpp>

namespace recal {

namespace detail {

/// 1/k! for k = 0 to 13: exp on +-ln(2)/2 to 1e-17.
inline constexpr std::array<double, 14> exp_terms = [] {
  std::array<double, 14> terms{};
  long double factorial = 1;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    terms[k] = static_cast<double>(1 / factorial);
    factorial *= static_cast<long double>(k + 1);
  }
  return terms;
}();

}  // namespace detail

/// e^x, lane by lane, to 1.5 units in the last place; 0 where it is below the normal numbers (x < -708), infinity where
/// it is above them (x > 709.4), NaN where x is.
/// 2^n e^r with n = x/ln(2) rounded, r = x - n ln(2)
template <int L>
[[nodiscard, gnu::always_inline]] inline Pack<double, L> exp(Pack<double, L> x) {
  using P = Pack<double, L>;
  using Bits [[gnu::vector_size(sizeof(double) * L)]] = std::int64_t;
  constexpr auto& term = detail::exp_terms;
  // Added to a number it leaves the whole part in the last bits, and there the exponent of 2^n.
  const P magic(0x1.8p52 + 1023);
  const P rounded = x * P(0x1.71547652b82fep0) + magic;
  const P n = rounded - magic;
  const P r = (x - n * P(0x1.62e42fefa38p-1)) - n * P(0x1.ef35793c7673p-45);
  const P r2 = r * r;
  const P r4 = r2 * r2;
  const auto pair = [&](std::size_t k) { return P(term[k]) + r * P(term[k + 1]); };
  const P high = (pair(10) + r2 * pair(12));
  const P middle = (pair(6) + r2 * pair(8)) + r4 * high;
  const P low = (pair(2) + r2 * pair(4)) + r4 * middle;
  const P power((typename P::Native)((Bits)rounded.v << 52));
  const P result = (P(1) + (r + r2 * low)) * power;
  const P bounded(x.v > P(709.4).v ? P(std::numeric_limits<double>::infinity()).v : result.v);
  return P(x.v < P(-708.0).v ? P(0).v : bounded.v);
}

}  // namespace recal
