// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "decode.hpp"
#include "encode.hpp"
#include "exif.hpp"
#include "random.hpp"

namespace {

namespace fs = std::filesystem;

using animals::Bytes;
using animals::decode;
using animals::DecodeOptions;
using animals::Image;
using animals::Index;
using animals::undecodable;
using animals::testing::difference;
using animals::testing::encode_jpeg;
using animals::testing::encode_png;
using animals::testing::gradient;
using animals::testing::JpegForm;
using animals::testing::PngForm;

/// What decode() says about the bytes: "" for a picture.
std::string fault_of(const Bytes& bytes, const DecodeOptions& options = {}) {
  try {
    const Image image = decode(bytes, options);
    CHECK(image.rgb.size() == static_cast<std::size_t>(3 * image.width * image.height));
    CHECK(image.width > 0);
    return "";
  } catch (const undecodable& problem) {
    return problem.what();
  }
}

bool says(const std::string& found, const std::string& part) { return found.find(part) != std::string::npos; }

JpegForm jpeg_form(int components) {
  JpegForm form;
  form.components = components;
  return form;
}

Bytes exif_block(std::uint8_t orientation) {
  return {'E', 'x', 'i',  'f', 0, 0, 'I', 'I', '*', 0, 8,           0, 0, 0,
          1,   0,   0x12, 1,   3, 0, 1,   0,   0,   0, orientation, 0, 0, 0};
}

TEST_CASE("every form of colour JPEG gives the picture") {
  const Image image = gradient(97, 61);
  for (const bool progressive : {false, true})
    for (const int sampling : {1, 2})
      for (const unsigned restart : {0U, 3U}) {
        JpegForm form;
        form.progressive = progressive;
        form.sampling = sampling;
        form.restart = restart;
        CHECK(!(difference(decode(encode_jpeg(image, form)), image) > 2.0));
      }
}

TEST_CASE("gray JPEG gives gray") {
  Bytes samples;
  Image image(40, 30);
  for (Index i = 0; i < 40 * 30; ++i) {
    samples.push_back(static_cast<std::uint8_t>(i % 40 * 6));
    std::fill_n(image.rgb.begin() + 3 * i, 3, samples.back());
  }
  CHECK(!(difference(decode(encode_jpeg(samples, 40, 30, jpeg_form(1))), image) > 2.0));
}

TEST_CASE("CMYK and YCCK are mixed, inverted where Adobe's marker says so") {
  Bytes plain;
  Bytes inverted;
  const Image image = gradient(48, 32);
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) plain.push_back(static_cast<std::uint8_t>(255 - image.rgb[i + c]));
    plain.push_back(0);
  }
  std::transform(plain.begin(), plain.end(), std::back_inserter(inverted),
                 [](std::uint8_t v) { return static_cast<std::uint8_t>(255 - v); });
  JpegForm form = jpeg_form(4);
  CHECK(!(difference(decode(encode_jpeg(plain, 48, 32, form)), image) > 3.0));
  form.adobe_marker = true;
  CHECK(!(difference(decode(encode_jpeg(inverted, 48, 32, form)), image) > 3.0));
  form.as_ycck = true;
  CHECK(!(difference(decode(encode_jpeg(inverted, 48, 32, form)), image) > 3.0));
}

TEST_CASE("black ink darkens") {
  Bytes samples;
  for (int i = 0; i < 16 * 16; ++i) samples.insert(samples.end(), {0, 0, 0, 128});
  const Image image = decode(encode_jpeg(samples, 16, 16, jpeg_form(4)));
  CHECK(int{image.rgb[0]} == doctest::Approx(127).epsilon(0.02));
}

TEST_CASE("pictures are turned as EXIF says") {
  const Image image = gradient(64, 48);
  for (const int orientation : {3, 6, 8}) {
    // How the camera stored it: the inverse turn.
    const Image stored = animals::upright(image, orientation == 6 ? 8 : orientation == 8 ? 6 : 3);
    JpegForm form;
    form.app1 = exif_block(static_cast<std::uint8_t>(orientation));
    CHECK(!(difference(decode(encode_jpeg(stored, form)), image) > 2.0));
  }
}

TEST_CASE("a large JPEG is decoded at a fraction that keeps the wanted short side") {
  const Bytes bytes = encode_jpeg(gradient(400, 240));
  const auto sides = [&](Index wanted) {
    const Image image = decode(bytes, {.short_side = wanted});
    return std::pair{image.width, image.height};
  };
  CHECK(sides(0) == std::pair<Index, Index>{400, 240});
  CHECK(sides(121) == std::pair<Index, Index>{400, 240});
  CHECK(sides(120) == std::pair<Index, Index>{200, 120});
  CHECK(sides(60) == std::pair<Index, Index>{100, 60});
  CHECK(sides(1) == std::pair<Index, Index>{50, 30});
  CHECK(!(difference(decode(bytes, {.short_side = 30}), gradient(50, 30)) > 4.0));
}

TEST_CASE("a JPEG without its end marker is whole, one that is cut off is not") {
  Bytes bytes = encode_jpeg(gradient(120, 80));
  const Image whole = decode(bytes);
  Bytes longer = bytes;
  longer.insert(longer.end(), 100, 'x');
  CHECK(decode(longer) == whole);
  bytes.resize(bytes.size() - 2);
  CHECK(decode(bytes) == whole);
  bytes.resize(bytes.size() * 6 / 10);
  CHECK(says(fault_of(bytes), "damaged JPEG image"));
  bytes.resize(100);
  CHECK(says(fault_of(bytes), "broken JPEG image"));
}

TEST_CASE("entropy data that leads nowhere is damage") {
  Bytes bytes = encode_jpeg(gradient(120, 80));
  std::fill(bytes.end() - static_cast<std::ptrdiff_t>(bytes.size() / 4), bytes.end() - 2, std::uint8_t{0x55});
  CHECK(says(fault_of(bytes), "JPEG image"));
}

TEST_CASE("a JPEG of endless scans is refused") {
  JpegForm form;
  form.progressive = true;
  Bytes bytes = encode_jpeg(gradient(32, 32), form);
  const Bytes marker{0xFF, 0xDA};
  const auto last_scan = std::find_end(bytes.begin(), bytes.end(), marker.begin(), marker.end());
  const Bytes scan(last_scan, bytes.end() - 2);
  bytes.resize(bytes.size() - 2);
  for (int i = 0; i < 300; ++i) bytes.insert(bytes.end(), scan.begin(), scan.end());
  CHECK(says(fault_of(bytes), "more than 200 scans"));
}

TEST_CASE("pictures with too many pixels are refused before they are decoded") {
  const Bytes jpeg = encode_jpeg(gradient(64, 48));
  const Bytes png = encode_png(gradient(64, 48));
  for (const Bytes& bytes : {jpeg, png}) {
    CHECK(fault_of(bytes, {.max_pixels = 64 * 48}).empty());
    CHECK(says(fault_of(bytes, {.max_pixels = 64 * 48 - 1}), "64 x 48 pixels, more than the 3071 allowed"));
  }
  Bytes huge = png;  // only the header's checksum would tell
  huge[16] = 0x00;
  huge[17] = 0x7f;
  CHECK(says(fault_of(huge), "PNG image"));
}

TEST_CASE("RGB PNG comes back exactly, interlaced too") {
  const Image image = gradient(31, 17);
  CHECK(decode(encode_png(image)) == image);
  CHECK(decode(encode_png(image, true)) == image);
}

TEST_CASE("gray PNG of every depth becomes gray of 8 bits") {
  for (const int depth : {1, 2, 4, 8, 16}) {
    PngForm form;
    form.colour = PNG_COLOR_TYPE_GRAY;
    form.depth = depth;
    // One row: black and white, as wide as it takes two bytes or four.
    const Bytes row = depth == 16 ? Bytes{0, 0, 255, 255} : Bytes{0, 255};
    const Index width = depth == 16 ? 2 : 16 / depth;
    const Image image = decode(encode_png(row, row.size(), width, 1, form));
    REQUIRE(image.width == width);
    CHECK(image.rgb.front() == 0);
    CHECK(image.rgb.back() == 255);
  }
}

TEST_CASE("16-bit PNG keeps the upper half of each sample") {
  PngForm form;
  form.depth = 16;
  const Image image = decode(encode_png({0x12, 0x34, 0x80, 0x00, 0xFE, 0xDC}, 6, 1, 1, form));
  CHECK(std::abs(int{image.rgb[0]} - 0x12) <= 1);
  CHECK(std::abs(int{image.rgb[1]} - 0x80) <= 1);
  CHECK(std::abs(int{image.rgb[2]} - 0xFE) <= 1);
}

TEST_CASE("transparency is laid on white") {
  PngForm form;
  form.colour = PNG_COLOR_TYPE_RGB_ALPHA;
  const Image rgba = decode(encode_png({10, 20, 30, 255, 10, 20, 30, 0, 0, 0, 0, 128}, 12, 3, 1, form));
  CHECK(rgba.rgb == Bytes{10, 20, 30, 255, 255, 255, 127, 127, 127});
  form.colour = PNG_COLOR_TYPE_GRAY_ALPHA;
  const Image gray = decode(encode_png({50, 255, 50, 0}, 4, 2, 1, form));
  CHECK(gray.rgb == Bytes{50, 50, 50, 255, 255, 255});
}

TEST_CASE("palettes are looked up, with their transparency") {
  PngForm form;
  form.colour = PNG_COLOR_TYPE_PALETTE;
  form.palette = {{1, 2, 3}, {200, 100, 50}};
  CHECK(decode(encode_png({0, 1}, 2, 2, 1, form)).rgb == Bytes{1, 2, 3, 200, 100, 50});
  form.palette_opacity = {0, 255};
  CHECK(decode(encode_png({0, 1}, 2, 2, 1, form)).rgb == Bytes{255, 255, 255, 200, 100, 50});
}

TEST_CASE("a cut off or damaged PNG is refused") {
  const Bytes bytes = encode_png(gradient(40, 30));
  Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2));
  CHECK(says(fault_of(cut), "broken PNG image"));
  Bytes damaged = bytes;
  damaged[damaged.size() / 2] ^= 0xFF;
  CHECK(says(fault_of(damaged), "broken PNG image"));
}

/// What must become of the files of tests/quirks, by name: their size, or a part of the fault.
struct Expected {
  Index width = 0;
  Index height = 0;
  std::string fault;
};

const std::map<std::string, Expected>& expected_quirks() {
  static const std::map<std::string, Expected> expected{
      {"real/gray_jpeg_1.jpg", {401, 300, ""}},
      {"real/jpeg_422_1.jpg", {450, 300, ""}},
      {"real/jpeg_444_1.jpeg", {100, 100, ""}},
      {"real/jpeg_exif_1.jpeg", {82, 96, ""}},
      {"real/jpeg_icc_1.jpg", {460, 300, ""}},
      {"real/png_palette_1.png", {320, 320, ""}},
      {"real/png_rgba_1.png", {100, 100, ""}},
      {"real/tiny_side_1.jpeg", {65, 64, ""}},
      {"real/very_tall_1.jpeg", {144, 300, ""}},
      {"real/very_wide_1.jpeg", {300, 92, ""}},
      {"real/gitlfs_pointer_named.jpeg", {0, 0, "Git LFS pointer"}},
      {"real/webp_named_jpg_1.jpg", {0, 0, "WebP"}},
      {"synthetic/cmyk.jpg", {300, 200, ""}},
      // Its bytes are wrong and still a valid code: no decoder can tell.
      {"synthetic/corrupt_middle_bytes.jpg", {300, 200, ""}},
      {"synthetic/empty.jpg", {0, 0, "empty"}},
      {"synthetic/exif_orientation_2.jpg", {300, 200, ""}},
      {"synthetic/exif_orientation_3.jpg", {300, 200, ""}},
      {"synthetic/exif_orientation_4.jpg", {300, 200, ""}},
      {"synthetic/exif_orientation_5.jpg", {200, 300, ""}},
      {"synthetic/exif_orientation_6.jpg", {200, 300, ""}},
      {"synthetic/exif_orientation_7.jpg", {200, 300, ""}},
      {"synthetic/exif_orientation_8.jpg", {200, 300, ""}},
      {"synthetic/gif_named.jpg", {0, 0, "GIF"}},
      {"synthetic/gray.png", {300, 200, ""}},
      {"synthetic/gray_alpha.png", {300, 200, ""}},
      {"synthetic/html_named.jpeg", {0, 0, "HTML"}},
      {"synthetic/one_pixel.jpg", {1, 1, ""}},
      {"synthetic/one_row_300x1.jpg", {300, 1, ""}},
      {"synthetic/png16_gray.png", {300, 200, ""}},
      {"synthetic/text_named.jpg", {0, 0, "plain text"}},
      {"synthetic/trailing_garbage.jpg", {300, 200, ""}},
      {"synthetic/truncated_60pct.jpg", {0, 0, "damaged JPEG"}},
      {"synthetic/truncated_in_header.jpg", {0, 0, "broken JPEG"}}};
  return expected;
}

const fs::path quirks = fs::path(RECAL_SOURCE_DIR) / "tests" / "quirks";

TEST_CASE("every awkward file is decoded or refused as it should be") {
  std::size_t seen = 0;
  for (const auto& entry : fs::recursive_directory_iterator(quirks)) {
    const std::string name = entry.path().lexically_relative(quirks).generic_string();
    if (!entry.is_regular_file() || name.find('/') == std::string::npos) continue;
    CAPTURE(name);
    const auto expected = expected_quirks().find(name);
    REQUIRE(expected != expected_quirks().end());
    ++seen;
    const Bytes bytes = animals::read_bytes(entry.path());
    const std::string fault = fault_of(bytes);
    CHECK(fault.empty() == expected->second.fault.empty());
    CHECK(says(fault, expected->second.fault));
    if (!fault.empty()) continue;
    const Image image = decode(bytes);
    CHECK(image.width == expected->second.width);
    CHECK(image.height == expected->second.height);
  }
  CHECK(seen == expected_quirks().size());
}

TEST_CASE("one photograph in many forms is one picture") {
  const Image photo = animals::load_image(quirks / "synthetic/trailing_garbage.jpg");
  for (int o = 2; o <= 8; ++o) {
    const auto name = "synthetic/exif_orientation_" + std::to_string(o) + ".jpg";
    CAPTURE(name);
    // The pixels are stored as in the others; the camera says that it was held differently.
    CHECK(!(difference(animals::load_image(quirks / name), animals::upright(photo, o)) > 4.0));
  }
  CHECK(!(difference(animals::load_image(quirks / "synthetic/cmyk.jpg"), photo) > 4.0));
  const Image gray = animals::load_image(quirks / "synthetic/gray.png");
  CHECK(!(difference(animals::load_image(quirks / "synthetic/gray_alpha.png"), gray) > 1.0));
  CHECK(!(difference(animals::load_image(quirks / "synthetic/png16_gray.png"), gray) > 1.0));
}

TEST_CASE("a larger folder of awkward files does no harm") {
  const char* folder = std::getenv("RECAL_QUIRKS_DIR");
  if (folder == nullptr) return;
  std::map<bool, int> decoded;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() == ".csv") continue;
    const std::string fault = fault_of(animals::read_bytes(entry.path()));
    const std::string name = entry.path().lexically_relative(folder).generic_string();
    CAPTURE(name);
    ++decoded[fault.empty()];
    const auto expected = expected_quirks().find(name);
    if (expected != expected_quirks().end()) CHECK(fault.empty() == expected->second.fault.empty());
    MESSAGE(name << ": " << (fault.empty() ? "decoded" : fault));
  }
  CHECK(decoded[true] > 0);
}

TEST_CASE("what is no image file is named") {
  CHECK_THROWS_WITH_AS(static_cast<void>(animals::load_image(quirks)), "is a folder", animals::failure);
  CHECK_THROWS_WITH_AS(static_cast<void>(animals::load_image(quirks / "missing.jpg")), "there is no such file",
                       animals::failure);
  CHECK_THROWS_WITH_AS(static_cast<void>(animals::load_image("/dev/null")), "is no ordinary file", animals::failure);
}

/// Flips, overwrites, cuts and repeats some bytes.
Bytes mutated(Bytes bytes, animals::Random random) {
  const auto place = [&] { return static_cast<std::ptrdiff_t>(random.below(static_cast<Index>(bytes.size()))); };
  for (Index change = random.below(6) + 1; change > 0 && bytes.size() > 4; --change) {
    const auto at = bytes.begin() + place();
    switch (random.below(4)) {
      case 0:
        *at ^= static_cast<std::uint8_t>(1U << static_cast<unsigned>(random.below(8)));
        break;
      case 1:
        *at = static_cast<std::uint8_t>(random.below(256));
        break;
      case 2:
        bytes.erase(at, at + std::min<std::ptrdiff_t>(bytes.end() - at, random.below(16)));
        break;
      default:
        bytes.insert(at, 3, std::uint8_t{0xFF});
        break;
    }
  }
  return bytes;
}

TEST_CASE("mutated files are decoded or refused, never worse") {
  JpegForm progressive;
  progressive.progressive = true;
  progressive.restart = 2;
  PngForm palette;
  palette.colour = PNG_COLOR_TYPE_PALETTE;
  palette.palette = {{1, 2, 3}, {200, 100, 50}};
  palette.palette_opacity = {7};
  JpegForm turned;
  turned.app1 = exif_block(6);
  const std::vector<Bytes> seeds{encode_jpeg(gradient(24, 16)),
                                 encode_jpeg(gradient(24, 16), progressive),
                                 encode_jpeg(gradient(24, 16), turned),
                                 encode_jpeg(Bytes(16 * 16 * 4, 90), 16, 16, jpeg_form(4)),
                                 encode_png(gradient(24, 16)),
                                 encode_png(gradient(24, 16), true),
                                 encode_png({0, 1, 1, 0}, 2, 2, 2, palette)};
  const DecodeOptions options{.short_side = 8, .max_pixels = 1 << 20};
  int refused = 0;
  for (std::uint64_t trial = 0; trial < 4000; ++trial) {
    const Bytes bytes = mutated(seeds[trial % seeds.size()], animals::Random(5, animals::Purpose::show, {trial}));
    if (!fault_of(bytes, options).empty()) ++refused;
  }
  CHECK(refused > 1000);
  CHECK(refused < 4000);
}

TEST_CASE("every beginning of a file is decoded or refused") {
  for (const Bytes& bytes : {encode_jpeg(gradient(16, 16)), encode_png(gradient(8, 8))})
    for (std::size_t length = 0; length < bytes.size(); ++length)
      static_cast<void>(fault_of(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length))));
}

}  // namespace
