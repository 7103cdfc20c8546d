// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace recal::testing::ptx {

enum class Rounding : std::uint8_t { nearest, zero, down, up };

/// The numbers of a binary format up to 32 bits, each of which is a double.
struct Format {
  int precision;       ///< significant bits
  int least_exponent;  ///< of the smallest denormal
  double largest;
};
inline constexpr Format single_format{24, -149, 0x1.fffffep+127};
inline constexpr Format half_format{11, -24, 65504};
inline constexpr Format brain_format{8, -133, 0x1.fep+127};

/// x to an integer.
[[nodiscard]] inline double to_integer(double x, Rounding rounding) {
  switch (rounding) {
    case Rounding::zero:
      return std::trunc(x);
    case Rounding::down:
      return std::floor(x);
    case Rounding::up:
      return std::ceil(x);
    default:
      return std::nearbyint(x);
  }
}

/// x to a number of the format, as a double. An x from odd() gives what the exact number would.
[[nodiscard]] inline double round_to(double x, const Format& format, Rounding rounding) {
  if (x == 0 || !std::isfinite(x)) return x;
  const int exponent = std::max(std::ilogb(x) + 1 - format.precision, format.least_exponent);
  const double result = std::ldexp(to_integer(std::ldexp(x, -exponent), rounding), exponent);
  if (std::abs(result) <= format.largest) return std::copysign(result, x);
  const bool away =
      rounding == Rounding::nearest || (rounding == Rounding::up && x > 0) || (rounding == Rounding::down && x < 0);
  return std::copysign(away ? std::numeric_limits<double>::infinity() : format.largest, x);
}

/// The exact number nearest + error rounded to odd, where nearest is the double nearest to it: such a number can be
/// rounded again, to a shorter format, without harm (Boldo and Melquiond, Emulation of FMA and correctly rounded sums).
[[nodiscard]] inline double odd(double nearest, double error) {
  const bool even = (std::bit_cast<std::uint64_t>(nearest) & 1U) == 0;
  if (!(error != 0) || !even || !std::isfinite(nearest)) return nearest;
  return std::nextafter(nearest, error * std::numeric_limits<double>::infinity());
}

/// a + b rounded to odd; zero from a cancellation has the sign that the rounding asks for.
[[nodiscard]] inline double odd_sum(double a, double b, Rounding rounding) {
  const double sum = a + b;
  if (sum == 0 && rounding == Rounding::down && (std::signbit(a) || std::signbit(b))) return -0.0;
  if (!std::isfinite(sum)) return sum;
  const double part = sum - a;
  return odd(sum, (a - (sum - part)) + (b - part));
}

[[nodiscard]] inline double odd_quotient(double a, double b) {
  const double quotient = a / b;
  if (!std::isfinite(quotient) || std::isinf(b)) return quotient;
  const double remainder = std::fma(-quotient, b, a);
  return odd(quotient, std::signbit(b) ? -remainder : remainder);
}

[[nodiscard]] inline double odd_root(double a) {
  const double root = std::sqrt(a);
  return std::isfinite(root) ? odd(root, std::fma(-root, root, a)) : root;
}

/// f() with the processor's rounding set. f must read and write volatile objects.
template <class F>
[[nodiscard]] double with_rounding(Rounding rounding, F f) {
  const int before = std::fegetround();
  std::fesetround(rounding == Rounding::zero   ? FE_TOWARDZERO
                  : rounding == Rounding::down ? FE_DOWNWARD
                  : rounding == Rounding::up   ? FE_UPWARD
                                               : FE_TONEAREST);
  const double result = f();
  std::fesetround(before);
  return result;
}

}  // namespace recal::testing::ptx
