// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "kind.hpp"

namespace {

using animals::identify;
using animals::Kind;
using namespace std::string_view_literals;

Kind kind_of(std::string_view content) {
  return identify({reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
}

TEST_CASE("files are told by their first bytes") {
  CHECK(kind_of(""sv) == Kind::empty);
  CHECK(kind_of("\xFF\xD8\xFF\xE0"sv) == Kind::jpeg);
  CHECK(kind_of("\x89PNG\r\n\x1a\n...."sv) == Kind::png);
  CHECK(kind_of("GIF89a"sv) == Kind::gif);
  CHECK(kind_of("RIFF\x10\x00\x00\x00WEBPVP8 "sv) == Kind::webp);
  CHECK(kind_of("RIFF\x10\x00\x00\x00WAVE"sv) == Kind::unknown);
  CHECK(kind_of("II*\0\x08\0\0\0"sv) == Kind::tiff);
  CHECK(kind_of("MM\0*\0\0\0\x08"sv) == Kind::tiff);
  CHECK(kind_of("\0\0\0\x1c"
                "ftypheic"sv) == Kind::heif);
  CHECK(kind_of("PK\x03\x04"sv) == Kind::zip);
  CHECK(kind_of("%PDF-1.7"sv) == Kind::pdf);
  CHECK(kind_of("BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0"sv) == Kind::bmp);
  CHECK(kind_of("\x01\x02\x03"sv) == Kind::unknown);
}

TEST_CASE("text is told apart") {
  CHECK(kind_of("BMW is a text too, and a long one"sv) == Kind::text);
  CHECK(kind_of("not an image\n"sv) == Kind::text);
  CHECK(kind_of("  <!DOCTYPE html><html>"sv) == Kind::html);
  CHECK(kind_of("\xEF\xBB\xBF<HTML>"sv) == Kind::html);
  CHECK(kind_of("<svg xmlns='x'/>"sv) == Kind::svg);
  CHECK(kind_of("<?xml version='1.0'?>\n<svg/>"sv) == Kind::svg);
  CHECK(kind_of("<?xml version='1.0'?>\n<rss/>"sv) == Kind::text);
  CHECK(kind_of("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"sv) == Kind::git_lfs_pointer);
}

TEST_CASE("cut off beginnings are no images") {
  CHECK(kind_of("\xFF\xD8"sv) == Kind::unknown);
  CHECK(kind_of("\x89PNG"sv) == Kind::unknown);
  CHECK(kind_of("RIFF"sv) == Kind::text);
}

TEST_CASE("every kind has a description of its own") {
  for (int a = 0; a <= static_cast<int>(Kind::unknown); ++a) {
    CHECK(!describe(static_cast<Kind>(a)).empty());
    for (int b = 0; b < a; ++b) CHECK(describe(static_cast<Kind>(a)) != describe(static_cast<Kind>(b)));
  }
}

}  // namespace
