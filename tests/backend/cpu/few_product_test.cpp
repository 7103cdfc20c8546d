// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/few_product.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/support/tile_check.hpp"

using namespace recal;
using recal::testing::TileCase;

TEST_CASE("multiply_few makes every output of every image") {
  for (const Window& window : {Window{3, 1, 1}, Window{}}) {
    const TileCase c{window, cpu::Tile{0, 210, 0, TileCase::outputs}};
    const Index depth = TileCase::channels * window.area();
    const cpu::PlainWeights<float> weights{c.weight.data(), depth, window.area(), 0};
    Tensor<float> y(TileCase::shape, 100.0F);
    cpu::multiply_few(c.x.view(), weights, y.view(), c.grid(), 1, {}, {});
    CAPTURE(window.kernel);
    CHECK(c.error(y) <= 1e-5);
  }
}

TEST_CASE("multiply_few gives each group its channels, its weights, its start and its finish") {
  constexpr Index groups = 3;
  const TileCase c{Window{3, 1, 1}, cpu::Tile{0, 210, 0, TileCase::outputs}};
  const Shape shape{5, groups * TileCase::outputs, 6, 7};
  Tensor<float> x({5, groups * TileCase::channels, 6, 7});
  // Each group has other pixels, weights, start and finish, which make up for each other.
  const auto power = [](Index g) { return static_cast<float>(1 << g); };
  Buffer<float> weights;
  Buffer<float> start_scale;
  Buffer<float> finish_scale;
  for (Index g = 0; g < groups; ++g) {
    for (Index n = 0; n < 5; ++n)
      for (Index i = 0; i < TileCase::channels; ++i)
        for (Index k = 0; k < 42; ++k)
          x.view().plane(n, g * TileCase::channels + i)[k] = power(g) * std::max(0.0F, c.x.view().plane(n, i)[k]);
    for (Index i = 0; i < c.weight.size(); ++i) weights.push_back(c.weight.data()[i] * power(2 * g));
    for (Index i = 0; i < TileCase::channels; ++i) start_scale.push_back(1 / power(g));
    for (Index o = 0; o < TileCase::outputs; ++o) finish_scale.push_back(1 / power(2 * g));
  }
  const Buffer<float> none(finish_scale.size(), 0.0F);
  const ConvStart<float> start{start_scale.data(), none.data(), none.data()};
  ConvFinish<float> finish;
  finish.scale = finish_scale.data();
  const cpu::PlainWeights<float> plain{weights.data(), TileCase::channels * 9, 9, c.weight.size()};
  Tensor<float> y(shape);
  cpu::multiply_few<float>(x.view(), plain, y.view(), cpu::PatchGrid(x.shape(), shape, c.window), groups, finish,
                           start);

  TileCase positive = c;
  for (Index i = 0; i < positive.x.size(); ++i) positive.x.data()[i] = std::max(0.0F, positive.x.data()[i]);
  for (Index g = 0; g < groups; ++g) {
    CAPTURE(g);
    Tensor<float> own(TileCase::shape);
    for (Index n = 0; n < 5; ++n)
      for (Index o = 0; o < TileCase::outputs; ++o)
        std::copy_n(y.view().plane(n, g * TileCase::outputs + o), 42, own.view().plane(n, o));
    CHECK(positive.error(own) <= 1e-5);
  }
}

TEST_CASE("few_pixels counts those of all images") {
  const auto few = [](const Shape& y, const Window& window) {
    return cpu::few_pixels(cpu::PatchGrid(y, y, window), y.n);
  };
  CHECK(few({1, 64, 7, 7}, Window{}));
  CHECK(few({16, 64, 4, 4}, {3, 1, 1}));
  CHECK_FALSE(few({17, 64, 4, 4}, {3, 1, 1}));
}
