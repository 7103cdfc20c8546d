// SPDX-License-Identifier: Apache-2.0
#include "exif.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace animals {

namespace {

/// A TIFF structure; reads beyond its end give 0.
struct Tiff {
  ByteSpan bytes;
  bool big_endian = false;

  [[nodiscard]] std::uint32_t byte(std::size_t at) const { return at < bytes.size() ? bytes[at] : 0U; }
  [[nodiscard]] std::uint32_t u16(std::size_t at) const {
    return big_endian ? byte(at) << 8U | byte(at + 1) : byte(at + 1) << 8U | byte(at);
  }
  [[nodiscard]] std::uint32_t u32(std::size_t at) const {
    return big_endian ? u16(at) << 16U | u16(at + 2) : u16(at + 2) << 16U | u16(at);
  }
};

constexpr std::uint32_t orientation_tag = 0x0112;
constexpr std::uint32_t type_short = 3;

}  // namespace

int exif_orientation(ByteSpan block) noexcept {
  using namespace std::string_view_literals;
  const std::string_view head(reinterpret_cast<const char*>(block.data()), block.size());
  if (!head.starts_with("Exif\0\0"sv)) return 1;
  Tiff tiff{block.subspan(6)};
  const std::string_view order = head.substr(6, 2);
  if (order != "II" && order != "MM") return 1;
  tiff.big_endian = order == "MM";
  const std::size_t directory = tiff.u32(4);
  const std::size_t entries = tiff.u16(directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.bytes.size()) return 1;
    if (tiff.u16(entry) != orientation_tag || tiff.u16(entry + 2) != type_short) continue;
    const std::uint32_t value = tiff.u16(entry + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool transposed = orientation >= 5;
  const Index w = image.width;
  const Index h = image.height;
  // Orientations with the stored right (left) edge at the top or left of the scene.
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image turned(transposed ? h : w, transposed ? w : h);
  for (Index y = 0; y < turned.height; ++y) {
    for (Index x = 0; x < turned.width; ++x) {
      const Index along = transposed ? y : x;
      const Index down = transposed ? x : y;
      const std::uint8_t* from = image.pixel(from_right ? w - 1 - along : along, from_bottom ? h - 1 - down : down);
      std::copy_n(from, 3, turned.pixel(x, y));
    }
  }
  return turned;
}

}  // namespace animals
