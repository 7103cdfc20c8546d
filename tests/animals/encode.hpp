// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include <jpeglib.h>
#include <png.h>

#include "file_bytes.hpp"
#include "image.hpp"

/// Small pictures in every form that JPEG and PNG know, for tests.
namespace animals::testing {

/// A smooth picture whose corners differ: red grows to the right, green downwards, blue along the diagonal.
inline Image gradient(Index width, Index height) {
  Image image(width, height);
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x) {
      std::uint8_t* p = image.pixel(x, y);
      p[0] = static_cast<std::uint8_t>(20 + 200 * x / width);
      p[1] = static_cast<std::uint8_t>(20 + 200 * y / height);
      p[2] = static_cast<std::uint8_t>(220 - 100 * x / width - 100 * y / height);
    }
  return image;
}

/// The mean absolute difference of two pictures of one size; 256 where the sizes differ.
inline double difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height) return 256.0;
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(int{a.rgb[i]} - int{b.rgb[i]});
  return sum / static_cast<double>(a.rgb.size());
}

struct JpegForm {
  int components = 3;         ///< 1 gray, 3 YCbCr, 4 CMYK
  bool as_ycck = false;       ///< 4 components stored as YCCK
  bool adobe_marker = false;  ///< where there are 4 components
  bool progressive = false;
  unsigned restart = 0;  ///< MCUs between restart markers
  int sampling = 2;      ///< of luma against chroma, both ways
  std::vector<std::uint8_t> app1;
};

/// `samples` holds form.components bytes a pixel.
inline Bytes encode_jpeg(const Bytes& samples, Index width, Index height, const JpegForm& form) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &out, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = form.components;
  info.in_color_space = form.components == 1 ? JCS_GRAYSCALE : form.components == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  if (form.as_ycck) jpeg_set_colorspace(&info, JCS_YCCK);
  if (form.components == 4) info.write_Adobe_marker = form.adobe_marker ? TRUE : FALSE;
  info.comp_info[0].h_samp_factor = form.components == 3 ? form.sampling : 1;
  info.comp_info[0].v_samp_factor = form.components == 3 ? form.sampling : 1;
  info.restart_interval = form.restart;
  if (form.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  if (!form.app1.empty())
    jpeg_write_marker(&info, JPEG_APP0 + 1, form.app1.data(), static_cast<unsigned>(form.app1.size()));
  Bytes copy = samples;
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = copy.data() + static_cast<std::size_t>(info.next_scanline) * static_cast<std::size_t>(width) *
                                     static_cast<std::size_t>(form.components);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  Bytes bytes(out, out + size);
  jpeg_destroy_compress(&info);
  std::free(out);
  return bytes;
}

inline Bytes encode_jpeg(const Image& image, const JpegForm& form = {}) {
  return encode_jpeg(image.rgb, image.width, image.height, form);
}

struct PngForm {
  int colour = PNG_COLOR_TYPE_RGB;
  int depth = 8;
  bool interlaced = false;
  std::vector<png_color> palette;
  std::vector<png_byte> palette_opacity;
};

/// `rows` holds packed rows as PNG lays them, each `row_bytes` long.
inline Bytes encode_png(const Bytes& rows, std::size_t row_bytes, Index width, Index height, const PngForm& form) {
  Bytes bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &bytes,
      [](png_structp p, png_bytep data, std::size_t count) {
        auto& to = *static_cast<Bytes*>(png_get_io_ptr(p));
        to.insert(to.end(), data, data + count);
      },
      nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), form.depth, form.colour,
               form.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (!form.palette.empty()) png_set_PLTE(png, info, form.palette.data(), static_cast<int>(form.palette.size()));
  if (!form.palette_opacity.empty())
    png_set_tRNS(png, info, form.palette_opacity.data(), static_cast<int>(form.palette_opacity.size()), nullptr);
  Bytes copy = rows;
  std::vector<png_bytep> pointers;
  for (Index y = 0; y < height; ++y) pointers.push_back(copy.data() + static_cast<std::size_t>(y) * row_bytes);
  png_write_info(png, info);
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

inline Bytes encode_png(const Image& image, bool interlaced = false) {
  PngForm form;
  form.interlaced = interlaced;
  return encode_png(image.rgb, static_cast<std::size_t>(3 * image.width), image.width, image.height, form);
}

inline void write_file(const std::filesystem::path& path, const Bytes& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace animals::testing
