// SPDX-License-Identifier: Apache-2.0
#include <png.h>

#include "decode.hpp"

namespace animals {

namespace {

class PngReader {
 public:
  PngReader() { image_.version = PNG_IMAGE_VERSION; }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_image_free(&image_); }

  /// The pixels with their transparency, four bytes each.
  [[nodiscard]] Bytes read(ByteSpan bytes, const DecodeOptions& options) {
    if (png_image_begin_read_from_memory(&image_, bytes.data(), bytes.size()) == 0) refuse();
    check_size(width(), height(), options);
    image_.format = PNG_FORMAT_RGBA;
    image_.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    Bytes pixels(PNG_IMAGE_SIZE(image_));
    if (png_image_finish_read(&image_, nullptr, pixels.data(), 0, nullptr) == 0) refuse();
    return pixels;
  }

  [[nodiscard]] Index width() const { return image_.width; }
  [[nodiscard]] Index height() const { return image_.height; }

 private:
  [[noreturn]] void refuse() const {
    throw undecodable(text("is a broken PNG image: ", static_cast<const char*>(image_.message)));
  }

  png_image image_{};
};

}  // namespace

Image decode_png(ByteSpan bytes, const DecodeOptions& options) {
  PngReader reader;
  const Bytes pixels = reader.read(bytes, options);
  Image image(reader.width(), reader.height());
  for (std::size_t i = 0; i < pixels.size() / 4; ++i) {
    const unsigned opacity = pixels[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned mixed = pixels[4 * i + c] * opacity + 255U * (255U - opacity);
      image.rgb[3 * i + c] = static_cast<std::uint8_t>((mixed + 127U) / 255U);
    }
  }
  return image;
}

}  // namespace animals
