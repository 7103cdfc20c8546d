// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <cmath>
#include <iomanip>

namespace animals {

namespace {

/// The length of the well-formed sequence at s[i], or 0.
std::size_t sequence_length(std::string_view s, std::size_t i) noexcept {
  const auto byte = [&s](std::size_t at) { return at < s.size() ? static_cast<unsigned char>(s[at]) : 0U; };
  const auto tail = [&byte](std::size_t at) { return (byte(at) & 0xC0U) == 0x80U; };
  const unsigned a = byte(i);
  const unsigned b = byte(i + 1);
  if (a < 0x80U) return 1;
  if (a >= 0xC2U && a <= 0xDFU) return tail(i + 1) ? 2 : 0;
  if (a >= 0xE0U && a <= 0xEFU) {
    const bool overlong = a == 0xE0U && b < 0xA0U;
    const bool surrogate = a == 0xEDU && b > 0x9FU;
    return tail(i + 1) && tail(i + 2) && !overlong && !surrogate ? 3 : 0;
  }
  if (a >= 0xF0U && a <= 0xF4U) {
    const bool overlong = a == 0xF0U && b < 0x90U;
    const bool beyond = a == 0xF4U && b > 0x8FU;
    return tail(i + 1) && tail(i + 2) && tail(i + 3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool valid_utf8(std::string_view s) noexcept {
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t length = sequence_length(s, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string duration(double seconds) {
  if (!(seconds >= 0) || seconds > 3.6e8) return "?";
  const auto whole = static_cast<long>(std::lround(seconds));
  const long hours = whole / 3600;
  const long minutes = whole / 60 % 60;
  std::ostringstream out;
  out << std::setfill('0');
  if (hours > 0)
    out << hours << ':' << std::setw(2) << minutes;
  else
    out << minutes;
  out << ':' << std::setw(2) << whole % 60;
  return out.str();
}

std::string fixed(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

}  // namespace animals
