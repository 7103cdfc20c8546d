// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace animals {

/// A fault that the user can mend; its text is a whole sentence without "error:" in front.
struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The parts written one after the other.
template <class... Parts>
[[nodiscard]] std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Throws failure with the parts joined.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw failure(text(parts...));
}

/// Whether `s` is well-formed UTF-8, which JSON needs.
[[nodiscard]] bool valid_utf8(std::string_view s) noexcept;

/// `seconds` as "1:02:03" or "2:03".
[[nodiscard]] std::string duration(double seconds);

/// `value` with `digits` digits after the point.
[[nodiscard]] std::string fixed(double value, int digits);

}  // namespace animals
