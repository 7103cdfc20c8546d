// SPDX-License-Identifier: Apache-2.0
#include "kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "text.hpp"

namespace animals {

namespace {

using namespace std::string_view_literals;

/// The bytes that are looked at.
constexpr std::size_t head_size = 512;

std::string_view head_of(ByteSpan bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), head_size)};
}

/// UTF-8 without control characters, as far as `head` goes; it may end within a letter.
bool looks_like_text(std::string_view head) noexcept {
  while (head.size() >= head_size - 4 && static_cast<unsigned char>(head.back()) >= 0x80U) head.remove_suffix(1);
  return valid_utf8(head) && std::none_of(head.begin(), head.end(), [](char c) {
           const auto u = static_cast<unsigned char>(c);
           return u < 0x20U && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\x1b';
         });
}

/// The first of `head` in small letters, without blanks and a byte order mark.
std::array<char, 16> opening_word(std::string_view head) noexcept {
  if (head.starts_with("\xEF\xBB\xBF"sv)) head.remove_prefix(3);
  while (!head.empty() && std::isspace(static_cast<unsigned char>(head.front())) != 0) head.remove_prefix(1);
  std::array<char, 16> word{};
  for (std::size_t i = 0; i < std::min(head.size(), word.size() - 1); ++i)
    word.at(i) = static_cast<char>(std::tolower(static_cast<unsigned char>(head[i])));
  return word;
}

Kind identify_text(std::string_view head) noexcept {
  const auto letters = opening_word(head);
  const std::string_view word(letters.data());
  if (word.starts_with("version https:") && head.find("git-lfs") != head.npos) return Kind::git_lfs_pointer;
  if (word.starts_with("<svg")) return Kind::svg;
  if (word.starts_with("<?xml") && head.find("<svg") != head.npos) return Kind::svg;
  if (word.starts_with("<!doctype html") || word.starts_with("<html") || word.starts_with("<head")) return Kind::html;
  return Kind::text;
}

}  // namespace

Kind identify(ByteSpan bytes) noexcept {
  if (bytes.empty()) return Kind::empty;
  const std::string_view head = head_of(bytes);
  if (head.starts_with("\xFF\xD8\xFF"sv)) return Kind::jpeg;
  if (head.starts_with("\x89PNG\r\n\x1a\n"sv)) return Kind::png;
  if (head.starts_with("GIF8"sv)) return Kind::gif;
  if (head.starts_with("RIFF"sv) && head.substr(std::min<std::size_t>(8, head.size())).starts_with("WEBP"sv))
    return Kind::webp;
  if (head.starts_with("II*\0"sv) || head.starts_with("MM\0*"sv)) return Kind::tiff;
  if (head.substr(std::min<std::size_t>(4, head.size())).starts_with("ftyp"sv)) return Kind::heif;
  if (head.starts_with("PK\x03\x04"sv)) return Kind::zip;
  if (head.starts_with("%PDF"sv)) return Kind::pdf;
  if (head.starts_with("BM"sv) && head.size() >= 26 && !looks_like_text(head)) return Kind::bmp;
  return looks_like_text(head) ? identify_text(head) : Kind::unknown;
}

std::string_view describe(Kind kind) noexcept {
  switch (kind) {
    case Kind::empty:
      return "empty";
    case Kind::jpeg:
      return "a JPEG image";
    case Kind::png:
      return "a PNG image";
    case Kind::gif:
      return "a GIF image";
    case Kind::webp:
      return "a WebP image";
    case Kind::bmp:
      return "a BMP image";
    case Kind::tiff:
      return "a TIFF image";
    case Kind::heif:
      return "a HEIF or AVIF image or a film";
    case Kind::zip:
      return "a ZIP archive";
    case Kind::pdf:
      return "a PDF document";
    case Kind::svg:
      return "an SVG drawing";
    case Kind::html:
      return "an HTML page";
    case Kind::git_lfs_pointer:
      return "a Git LFS pointer (its content was never fetched)";
    case Kind::text:
      return "plain text";
    case Kind::unknown:
      break;
  }
  return "of no known kind";
}

}  // namespace animals
