// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "file_bytes.hpp"
#include "image.hpp"

namespace animals {

/// The orientation tag of an EXIF block that starts with "Exif\0\0" (JPEG's APP1): 1 to 8.
/// 1, upright, where there is none or where the block is not sound.
[[nodiscard]] int exif_orientation(ByteSpan block) noexcept;

/// The image turned and mirrored so that it stands upright.
/// requires: 1 <= orientation <= 8, as EXIF defines it
[[nodiscard]] Image upright(Image image, int orientation);

}  // namespace animals
