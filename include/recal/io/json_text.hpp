// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <recal/core/error.hpp>

namespace recal::io {

namespace detail {

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// The number of bytes of the UTF-8 sequence at the front of `text`; 0 where there is no valid one (overlong forms,
/// surrogates and everything above U+10FFFF included).
[[nodiscard]] constexpr std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (text.empty()) return 0;
  if (first < 0x80U) return 1;
  if (first >= 0xC2U && first <= 0xDFU) return continues(1) ? 2 : 0;
  if (first >= 0xE0U && first <= 0xEFU) {
    const bool overlong = first == 0xE0U && byte(1) < 0xA0U;
    const bool surrogate = first == 0xEDU && byte(1) > 0x9FU;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0U && first <= 0xF4U) {
    const bool overlong = first == 0xF0U && byte(1) < 0x90U;
    const bool too_large = first == 0xF4U && byte(1) > 0x8FU;
    return continues(1) && continues(2) && continues(3) && !overlong && !too_large ? 4 : 0;
  }
  return 0;
}

/// Appends the UTF-8 form of a code point up to U+10FFFF.
inline void append_utf8(std::string& text, std::uint32_t point) {
  const auto add = [&text](std::uint32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (point < 0x80U) return add(point);
  if (point < 0x800U) {
    add(0xC0U | (point >> 6U));
  } else if (point < 0x10000U) {
    add(0xE0U | (point >> 12U));
    add(0x80U | ((point >> 6U) & 0x3FU));
  } else {
    add(0xF0U | (point >> 18U));
    add(0x80U | ((point >> 12U) & 0x3FU));
    add(0x80U | ((point >> 6U) & 0x3FU));
  }
  add(0x80U | (point & 0x3FU));
}

}  // namespace detail

/// Reads JSON text in which the reader knows what must come next: objects, lists, strings and non-negative integers.
/// Strict (RFC 8259): no comments, no trailing commas, no leading zeros, valid UTF-8 only. Everything else is a
/// recal::error that names the source, the place in the text, and what was expected there.
class JsonScanner {
 public:
  /// `source` names the text in messages. Both must outlive the scanner.
  JsonScanner(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  /// Calls each(key) for every entry; the call must read the value. `what` names the object in messages.
  template <class F>
  void object(std::string_view what, F&& each) {
    open('{', what);
    if (take('}')) return;
    do {
      const std::string key = string("a key");
      if (!take(':')) unexpected("':'");
      each(key);
    } while (take(','));
    if (!take('}')) unexpected("',' or '}'");
  }

  /// Calls each() for every element; the call must read it.
  template <class F>
  void list(std::string_view what, F&& each) {
    open('[', what);
    if (take(']')) return;
    do each();
    while (take(','));
    if (!take(']')) unexpected("',' or ']'");
  }

  [[nodiscard]] std::string string(std::string_view what) {
    open('"', what);
    std::string result;
    while (true) {
      const std::size_t length = detail::utf8_length(text_.substr(at_));
      if (length == 0) unexpected("valid UTF-8 text and a closing quote");
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) unexpected("no control character in a string");
      if (c == '\\') {
        escape(result);
        continue;
      }
      at_ += length;
      if (c == '"') return result;
      result.append(text_, at_ - length, length);
    }
  }

  [[nodiscard]] std::uint64_t unsigned_integer(std::string_view what) {
    skip_space();
    if (!detail::is_digit(peek())) unexpected(what);
    const std::size_t begin = at_;
    std::uint64_t value = 0;
    for (; detail::is_digit(peek()); ++at_) {
      const auto digit = static_cast<std::uint64_t>(peek() - '0');
      constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
      if (value > (largest - digit) / 10) unexpected("a number of at most 64 bits");
      value = value * 10 + digit;
    }
    const bool leading_zero = text_[begin] == '0' && at_ > begin + 1;
    if (leading_zero || peek() == '.' || peek() == 'e' || peek() == 'E') unexpected("a plain integer");
    return value;
  }

  /// Nothing but white space may follow.
  void end() {
    skip_space();
    if (at_ != text_.size()) unexpected("the end of the text");
  }

 private:
  /// The next byte; 0 at the end.
  [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() noexcept {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }

  bool take(char c) noexcept {
    skip_space();
    const bool found = peek() == c;
    at_ += found ? 1 : 0;
    return found;
  }

  void open(char c, std::string_view what) {
    if (!take(c)) unexpected(what);
  }

  void escape(std::string& result) {
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view values = "\"\\/\b\f\n\r\t";
    ++at_;
    if (peek() == 'u') {
      ++at_;
      return detail::append_utf8(result, code_point());
    }
    const std::size_t which = names.find(peek());
    if (which == std::string_view::npos) unexpected("an escape sequence");
    result += values[which];
    ++at_;
  }

  [[nodiscard]] std::uint32_t code_point() {
    const std::uint32_t first = four_hex_digits();
    const bool high = first >= 0xD800U && first <= 0xDBFFU;
    if (!high) {
      if (first >= 0xDC00U && first <= 0xDFFFU) unexpected("a pair of surrogates");
      return first;
    }
    if (text_.substr(at_, 2) != "\\u") unexpected("a pair of surrogates");
    at_ += 2;
    const std::uint32_t second = four_hex_digits();
    if (second < 0xDC00U || second > 0xDFFFU) unexpected("a pair of surrogates");
    return 0x10000U + ((first - 0xD800U) << 10U) + (second - 0xDC00U);
  }

  [[nodiscard]] std::uint32_t four_hex_digits() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const bool lower = c >= 'a' && c <= 'f';
      const bool upper = c >= 'A' && c <= 'F';
      if (!detail::is_digit(c) && !lower && !upper) unexpected("four hexadecimal digits");
      value = value * 16 + static_cast<std::uint32_t>(detail::is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
  }

  [[nodiscard]] std::string found() const {
    const char c = peek();
    if (at_ >= text_.size()) return "the end";
    if (c == '{') return "an object";
    if (c == '[') return "a list";
    if (c == '"') return "a string";
    if (c == '-') return "a negative number";
    if (detail::is_digit(c)) return "a number";
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7E) return "byte " + std::to_string(byte);
    return std::string("'") + c + "'";
  }

  [[noreturn]] void unexpected(std::string_view what) const {
    fail(source_, ": expected ", what, " at byte ", at_, " of the JSON text, found ", found());
  }

  std::string_view text_;
  std::string_view source_;
  std::size_t at_ = 0;
};

/// `text` as a JSON string, in quotes. error: not valid UTF-8
[[nodiscard]] inline std::string json_string(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string result = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = detail::utf8_length(text.substr(i));
    check(length > 0, "a text for JSON is not valid UTF-8 at its byte ", i);
    const char c = text[i];
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      result += "\\u00";
      result += hex[static_cast<unsigned char>(c) >> 4U];
      result += hex[static_cast<unsigned char>(c) & 0xFU];
    } else {
      result.append(text, i, length);
    }
    i += length;
  }
  return result + '"';
}

}  // namespace recal::io
