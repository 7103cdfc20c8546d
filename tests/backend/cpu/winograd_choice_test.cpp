// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/winograd_choice.hpp>

#include <doctest/doctest.h>

using namespace recal;
using recal::cpu::suits_large_tiles;
using recal::cpu::suits_winograd;
using recal::cpu::WeightUse;

TEST_CASE("Winograd's algorithm is for 3x3 kernels with stride 1, many tiles and many channels") {
  const Window window{3, 1, 1};
  CHECK(suits_winograd(window, {8, 64, 56, 56}, 64, 64));
  CHECK(suits_winograd(window, {8, 512, 7, 7}, 512, 512));
  CHECK_FALSE(suits_winograd({3, 2, 1}, {8, 64, 56, 56}, 64, 64));
  CHECK_FALSE(suits_winograd({5, 1, 2}, {8, 64, 56, 56}, 64, 64));
  CHECK_FALSE(suits_winograd({1, 1, 0}, {8, 64, 56, 56}, 64, 64));
  CHECK_FALSE(suits_winograd(window, {8, 64, 56, 56}, 3, 64));
  CHECK_FALSE(suits_winograd(window, {1, 64, 7, 7}, 64, 64));   // 16 tiles
  CHECK_FALSE(suits_winograd(window, {16, 64, 3, 3}, 64, 64));  // 4 tiles of 4 pixels for 9 pixels
}

TEST_CASE("large tiles are for many of them, few pixels outside of y, and weights that are used often") {
  for (const WeightUse use : {WeightUse::one_call, WeightUse::many_calls, WeightUse::gradient}) {
    CHECK(suits_large_tiles({8, 64, 56, 56}, 64, 64, use));
    CHECK(suits_large_tiles({8, 128, 28, 28}, 128, 128, use));
    CHECK_FALSE(suits_large_tiles({1, 512, 7, 7}, 512, 512, use));  // 4 tiles
    CHECK_FALSE(suits_large_tiles({64, 64, 5, 5}, 64, 64, use));    // 4 tiles of 36 products, or 9 of 16
  }
}

TEST_CASE("the more calls share the weights, the fewer tiles are enough for large ones") {
  const auto least_images = [](WeightUse use) {
    Index images = 1;
    while (!suits_large_tiles({images, 512, 4, 4}, 512, 512, use)) ++images;
    return images;
  };
  CHECK(least_images(WeightUse::many_calls) < least_images(WeightUse::gradient));
  CHECK(least_images(WeightUse::gradient) < least_images(WeightUse::one_call));
}

TEST_CASE("with_winograd picks the tiles, or none") {
  const Window window{3, 1, 1};
  const auto outputs_of_tile = [&](const Shape& y, Index channels) {
    Index outputs = 0;
    const bool used = cpu::with_winograd(window, y, channels, channels, WeightUse::one_call,
                                         [&]<class W>(W) { outputs = W::outputs; });
    CHECK(used == (outputs > 0));
    return outputs;
  };
  CHECK(outputs_of_tile({8, 64, 56, 56}, 64) == 4);
  CHECK(outputs_of_tile({2, 512, 7, 7}, 512) == 2);
  CHECK(outputs_of_tile({1, 64, 7, 7}, 64) == 0);
}
