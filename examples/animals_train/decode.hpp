// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "file_bytes.hpp"
#include "image.hpp"
#include "text.hpp"

namespace animals {

/// A file that gives no picture; the text says what it is or what is wrong with it.
struct undecodable : failure {
  using failure::failure;
};

struct DecodeOptions {
  /// A picture with at least this short side is enough, so a large JPEG may be decoded at 1/2, 1/4 or 1/8. 0: full
  /// size.
  Index short_side = 0;
  /// Larger pictures are refused before anything of their size is allocated.
  Index max_pixels = Index{64} << 20U;
};

/// Decodes JPEG and PNG, told by their content. What comes out is upright 8-bit RGB.
///   JPEG  baseline and progressive; gray, YCbCr, RGB, CMYK and YCCK; turned as its EXIF block says
///   PNG   every colour type and depth, interlaced too; transparency is laid on white, 16 bits become 8
/// A JPEG that lacks only its end marker is whole and decodes. Entropy data that is cut off or damaged, and every
/// other format, throws undecodable.
[[nodiscard]] Image decode(ByteSpan bytes, const DecodeOptions& options = {});

/// decode() of a file. Throws undecodable or, where the file cannot be read, failure.
[[nodiscard]] Image load_image(const std::filesystem::path& path, const DecodeOptions& options = {});

/// The two codecs behind decode(). requires: the bytes start as the format says
[[nodiscard]] Image decode_jpeg(ByteSpan bytes, const DecodeOptions& options);
[[nodiscard]] Image decode_png(ByteSpan bytes, const DecodeOptions& options);

/// Throws undecodable unless the sizes are at least 1 and within options.max_pixels.
void check_size(Index width, Index height, const DecodeOptions& options);

}  // namespace animals
