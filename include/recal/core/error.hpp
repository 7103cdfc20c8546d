// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>

namespace recal {

/// Every fault that recal reports. The text names what was expected and what was found.
/// Thrown at public entry points before anything is written, never inside loops.
struct error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace detail {

inline void append(std::string& text, std::string_view part) { text += part; }

template <class Number>
  requires std::integral<Number> || std::floating_point<Number>
void append(std::string& text, Number number) { text += std::to_string(number); }

template <class Part>
  requires requires(const Part& part) {
    { to_string(part) } -> std::convertible_to<std::string>;
  }
void append(std::string& text, const Part& part) { text += to_string(part); }

}  // namespace detail

/// Throws recal::error with the parts joined: strings, numbers, and anything with to_string().
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  std::string text = "recal: ";
  (detail::append(text, parts), ...);
  throw error(text);
}

/// Throws recal::error with the parts joined unless `ok` holds.
template <class... Parts>
void check(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail(parts...);
}

}  // namespace recal
