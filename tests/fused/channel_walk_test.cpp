// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/fused/channel_walk.hpp>
#include <recal/pool/mean_std.hpp>

namespace {

using recal::Index;
using recal::Shape;
using recal::fused::ChannelBlock;
using recal::fused::ChannelMoments;

TEST_CASE("blocks cover every channel once, whatever the shape") {
  for (const Shape& shape : {Shape{2, 1, 3, 3}, Shape{3, 7, 1, 1}, Shape{1, 1000, 2, 2}, Shape{2, 64, 112, 112},
                             Shape{0, 5, 4, 4}, Shape{2, 130, 16, 16}}) {
    std::vector<int> seen(static_cast<std::size_t>(shape.c), 0);
    recal::fused::walk_channels(recal::Cpu{}, shape, [&seen](const auto&, const ChannelBlock& block) {
      for (Index c = block.first; c < block.last; ++c) ++seen[static_cast<std::size_t>(c)];
    });
    for (const int count : seen) CHECK(count == 1);
    CHECK(ChannelBlock::width(shape) >= 1);
    CHECK(ChannelBlock::width(shape) <= ChannelBlock::limit);
  }
}

TEST_CASE("moments of a channel are those of all its planes together") {
  const double planes[3][4] = {{1e6, 1e6 + 1, 1e6 - 2, 1e6 + 5}, {1e6 + 7, 1e6, 1e6, 1e6}, {1e6 - 3, 1e6, 1e6, 1e6}};
  ChannelMoments moments;
  double sum = 0.0;
  for (const auto& plane : planes) {
    moments.add(recal::detail::plane_moments(recal::Cpu::Team{}.reduce(recal::MeanStd{}, 4, plane), 4));
    for (const double x : plane) sum += x - 1e6;
  }
  const double mean = sum / 12;
  double squares = 0.0;
  for (const auto& plane : planes)
    for (const double x : plane) squares += (x - 1e6 - mean) * (x - 1e6 - mean);
  CHECK(std::abs(moments.mean() - 1e6 - mean) <= 1e-9);
  CHECK(std::abs(moments.squares(4.0) - squares) <= 1e-7);
}

TEST_CASE("the maps of batch norm are what they say, the centre taken off first") {
  using recal::fused::ChannelAffine;
  using recal::fused::ChannelAffineAddRelu;
  using recal::fused::ChannelAffineRelu;
  using recal::fused::ChannelPull;
  const ChannelAffine<float> map{2.0F, 16777215.0F, 0.5F};
  CHECK(map(16777216.0F) == 2.5F);
  CHECK(ChannelAffineRelu<float>{map}(16777214.0F) == 0.0F);
  CHECK(ChannelAffineAddRelu<float>{map}(16777216.0F, 1.0F) == 3.5F);
  CHECK(ChannelAffineAddRelu<float>{map}(16777216.0F, -3.0F) == 0.0F);
  CHECK(ChannelPull<double>{2.0, 3.0, 0.25, 10.0}(1.5, 4.0) == 13.25);
}

}  // namespace
