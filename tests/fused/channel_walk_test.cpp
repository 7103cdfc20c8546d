// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/fused/channel_walk.hpp>
#include <recal/pool/mean_std.hpp>

namespace {

using recal::Index;
using recal::fused::ChannelMoments;

TEST_CASE("moments of a channel are those of all its planes together") {
  const double planes[3][4] = {{1e6, 1e6 + 1, 1e6 - 2, 1e6 + 5}, {1e6 + 7, 1e6, 1e6, 1e6}, {1e6 - 3, 1e6, 1e6, 1e6}};
  const auto moments_of = [](const auto& plane) {
    return recal::detail::plane_moments(recal::Cpu::Team{}.reduce(recal::MeanStd{}, 4, plane), 4);
  };
  ChannelMoments moments = ChannelMoments::of(moments_of(planes[0]));
  moments.add(moments_of(planes[1]));
  moments.add(moments_of(planes[2]));
  double sum = 0.0;
  for (const auto& plane : planes)
    for (const double x : plane) sum += x - 1e6;
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
  const recal::fused::OpenWhereAffine<float> open{{map}};
  CHECK(open(16777216.0F, 3.0F) == 3.0F);
  CHECK(open(16777214.0F, 3.0F) == 0.0F);
  CHECK(open(NAN, 3.0F) == 0.0F);
  CHECK(ChannelPull<double>{2.0, 3.0, 0.25, 10.0}(1.5, 4.0) == 13.25);
}

}  // namespace
