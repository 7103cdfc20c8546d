// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include "decode.hpp"
#include "encode.hpp"
#include "exif.hpp"
#include "fingerprint.hpp"
#include "random.hpp"
#include "resize.hpp"

namespace {

using animals::Bytes;
using animals::Fingerprint;
using animals::fingerprint;
using animals::Groups;
using animals::Image;
using animals::Index;
using animals::look_alike;

/// A picture with structure of its own for each seed: a coarse random pattern, enlarged.
Image pattern(std::uint64_t seed, Index size = 96) {
  animals::Random random(seed, animals::Purpose::show);
  Image coarse(7, 7);
  for (auto& value : coarse.rgb) value = static_cast<std::uint8_t>(random.below(256));
  return animals::resized(coarse, size, size);
}

Fingerprint print_of(const Image& image) { return fingerprint(animals::testing::encode_jpeg(image), image); }

TEST_CASE("a scaled and recompressed picture looks like itself, another one does not") {
  const Fingerprint print = print_of(pattern(1));
  const Image again = animals::decode(animals::testing::encode_jpeg(animals::resized(pattern(1), 60, 60)));
  CHECK(look_alike(print, print_of(again)));
  for (std::uint64_t other = 2; other < 40; ++other) CHECK_FALSE(look_alike(print, print_of(pattern(other))));
  CHECK_FALSE(look_alike(print, print_of(animals::upright(pattern(1), 2))));
}

TEST_CASE("flat pictures of different colours differ") {
  Image dark(32, 32);
  Image light(32, 32);
  for (auto& value : light.rgb) value = 200;
  CHECK_FALSE(look_alike(print_of(dark), print_of(light)));
}

TEST_CASE("copies, near copies and copies of those make one group") {
  const Image near = animals::resized(pattern(1), 70, 70);
  const std::vector<Fingerprint> prints{print_of(pattern(5)), print_of(pattern(1)), print_of(pattern(2)),
                                        print_of(near),       print_of(pattern(1)), print_of(pattern(2))};
  const Groups groups = animals::group_copies(prints);
  CHECK(groups.of == std::vector<Index>{0, 1, 2, 1, 1, 2});
  CHECK(groups.count == 3);
  CHECK(groups.exact_copies == 2);
  CHECK(groups.near_copies == 1);
  CHECK(animals::group_copies({}).count == 0);
}

}  // namespace
