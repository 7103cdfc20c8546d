// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>

// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

#include <jerror.h>

#include "decode.hpp"
#include "exif.hpp"

namespace animals {

namespace {

/// More scans than any encoder writes: a file with more only means to cost time.
constexpr int most_scans = 200;

/// Some encoders pad the end of a scan by a few bytes.
constexpr int most_stray_bytes = 16;

using Message = std::array<char, JMSG_LENGTH_MAX>;

struct ErrorManager {
  jpeg_error_mgr base{};
  std::jmp_buf jump{};
  Message fatal{};
  Message damage{};
};

ErrorManager& errors_of(j_common_ptr info) { return *reinterpret_cast<ErrorManager*>(info->err); }

/// Whether the warning at hand means lost or wrong entropy data. An odd header or a missing end marker does not.
bool harms_pixels(j_common_ptr info) {
  switch (info->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
      return true;
    case JWRN_EXTRANEOUS_DATA:  // within a scan: the decoder lost its place
      return reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > 0 &&
             info->err->msg_parm.i[0] > most_stray_bytes;
    default:
      return false;
  }
}

extern "C" {

[[noreturn]] static void on_fatal(j_common_ptr info) {
  ErrorManager& errors = errors_of(info);
  info->err->format_message(info, errors.fatal.data());
  std::longjmp(errors.jump, 1);
}

static void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  ++info->err->num_warnings;
  ErrorManager& errors = errors_of(info);
  if (harms_pixels(info) && errors.damage[0] == '\0') info->err->format_message(info, errors.damage.data());
}

static void on_output(j_common_ptr) {}

static void on_progress(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= most_scans) return;
  ErrorManager& errors = errors_of(info);
  std::snprintf(errors.fatal.data(), errors.fatal.size(), "more than %d scans", most_scans);
  std::longjmp(errors.jump, 1);
}
}

/// libjpeg reports by longjmp: every member that calls setjmp holds trivial objects only and is followed by a throw
/// from outside the jump.
class JpegReader {
 public:
  JpegReader() {
    info_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_fatal;
    errors_.base.emit_message = on_message;
    errors_.base.output_message = on_output;
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&info_); }

  [[nodiscard]] Image read(ByteSpan bytes, const DecodeOptions& options) {
    if (!read_header(bytes)) refuse();
    check_size(info_.image_width, info_.image_height, options);
    const int turn = orientation();  // libjpeg forgets the markers at the end
    if (!start(options.short_side)) refuse();
    const Index w = info_.output_width;
    const Index h = info_.output_height;
    Image image(w, h);
    if (info_.output_components == 3) {
      if (!read_rows(image.rgb.data())) refuse();
    } else {
      Bytes inks(static_cast<std::size_t>(4 * w * h));
      if (!read_rows(inks.data())) refuse();
      inks_to_rgb(inks, image);
    }
    if (errors_.damage[0] != '\0') throw undecodable(text("is a damaged JPEG image: ", errors_.damage.data()));
    return upright(std::move(image), turn);
  }

 private:
  [[noreturn]] void refuse() const { throw undecodable(text("is a broken JPEG image: ", errors_.fatal.data())); }

  [[nodiscard]] bool read_header(ByteSpan bytes) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_create_decompress(&info_);
    progress_.progress_monitor = on_progress;
    info_.progress = &progress_;
    jpeg_mem_src(&info_, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  /// Chooses the smallest of 1/8, 1/4, 1/2, 1 that keeps `short_side` pixels.
  [[nodiscard]] bool start(Index short_side) {
    if (setjmp(errors_.jump) != 0) return false;
    const bool inks = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    info_.out_color_space = inks ? JCS_CMYK : JCS_RGB;
    info_.dct_method = JDCT_ISLOW;
    info_.scale_denom = 8;
    info_.scale_num = 8;
    const Index shorter = std::min(info_.image_width, info_.image_height);
    while (short_side > 0 && info_.scale_num > 1 && shorter * (info_.scale_num / 2) >= 8 * short_side)
      info_.scale_num /= 2;
    jpeg_start_decompress(&info_);
    return true;
  }

  [[nodiscard]] bool read_rows(std::uint8_t* out) {
    if (setjmp(errors_.jump) != 0) return false;
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = out + static_cast<std::size_t>(info_.output_scanline) * info_.output_width *
                               static_cast<std::size_t>(info_.output_components);
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  /// Adobe's programs store inks inverted and say so by their marker.
  void inks_to_rgb(const Bytes& inks, Image& image) const {
    const unsigned flip = info_.saw_Adobe_marker ? 0U : 255U;
    for (std::size_t i = 0; i < image.rgb.size() / 3; ++i) {
      const unsigned black = inks[4 * i + 3] ^ flip;
      for (std::size_t c = 0; c < 3; ++c)
        image.rgb[3 * i + c] = static_cast<std::uint8_t>(((inks[4 * i + c] ^ flip) * black + 127U) / 255U);
    }
  }

  [[nodiscard]] int orientation() const {
    for (auto* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
      const int found = exif_orientation({marker->data, marker->data_length});
      if (found != 1) return found;
    }
    return 1;
  }

  ErrorManager errors_;
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct info_{};
};

}  // namespace

Image decode_jpeg(ByteSpan bytes, const DecodeOptions& options) { return JpegReader().read(bytes, options); }

}  // namespace animals
