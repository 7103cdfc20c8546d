// SPDX-License-Identifier: Apache-2.0
#include <png.h>

#include <recal/io/atomic_file.hpp>

#include "grid.hpp"
#include "text.hpp"

namespace animals {

void write_png(const std::filesystem::path& path, const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, image.rgb.data(), 0, nullptr) == 0)
    fail(path.string(), " cannot be encoded: ", static_cast<const char*>(header.message));
  bytes.resize(size);
  recal::io::write_atomically(path, bytes);
}

}  // namespace animals
