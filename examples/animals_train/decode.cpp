// SPDX-License-Identifier: Apache-2.0
#include "decode.hpp"

#include "kind.hpp"

namespace animals {

void check_size(Index width, Index height, const DecodeOptions& options) {
  if (width < 1 || height < 1) throw undecodable(text("has no pixels (", width, " x ", height, ")"));
  if (height > options.max_pixels / width)
    throw undecodable(text("has ", width, " x ", height, " pixels, more than the ", options.max_pixels, " allowed"));
}

Image decode(ByteSpan bytes, const DecodeOptions& options) {
  const Kind kind = identify(bytes);
  if (kind == Kind::jpeg) return decode_jpeg(bytes, options);
  if (kind == Kind::png) return decode_png(bytes, options);
  throw undecodable(text("is ", describe(kind), ", not JPEG or PNG"));
}

Image load_image(const std::filesystem::path& path, const DecodeOptions& options) {
  return decode(read_bytes(path), options);
}

}  // namespace animals
