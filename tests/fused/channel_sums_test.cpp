// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/fused/channel_sums.hpp>
#include <recal/pool/mean_std.hpp>

#include "tests/support/random_tensor.hpp"

using recal::BasicPlaneMoments;
using recal::ChannelBlock;
using recal::Index;
using recal::Shape;

TEST_CASE_TEMPLATE("moments of a block's channels, and of every plane on the way", B, recal::Cpu, recal::Reference) {
  for (const Shape shape : {Shape{3, 21, 2, 1}, Shape{2, 12, 7, 7}, Shape{1, 9, 30, 31}}) {
    auto x = recal::testing::random_tensor<double>("x", shape);
    for (Index i = 0; i < shape.size(); ++i) x.data()[i] += 1e4;
    const ChannelBlock block{2, shape.c - 1};
    std::vector<double> means(static_cast<std::size_t>(shape.n * shape.c), NAN);
    const auto keep = [&]<class A>(Index n, Index i, Index planes, const BasicPlaneMoments<A>& plane) {
      for (Index p = 0; p < planes; ++p) {
        double& mean = means.at(static_cast<std::size_t>(n * shape.c + block.first + i + p));
        CHECK(std::isnan(mean));
        if constexpr (std::is_arithmetic_v<A>)
          mean = plane.mean;
        else
          mean = plane.mean.v[p];
      }
    };
    const auto channels = recal::fused::channel_moments<recal::MeanStd>(
        typename B::Team{}, block, std::as_const(x).view(),
        [&](Index n) { return [&keep, n](Index i, Index planes, const auto& plane) { keep(n, i, planes, plane); }; });
    for (Index c = 0; c < shape.c; ++c) {
      const bool own = c >= block.first && c < block.last;
      double sum = 0;
      for (Index n = 0; n < shape.n; ++n) {
        double plane = 0;
        for (Index k = 0; k < shape.plane(); ++k) plane += x.view().plane(n, c)[k] - 1e4;
        sum += plane;
        const double mean = means[static_cast<std::size_t>(n * shape.c + c)];
        CHECK(own != std::isnan(mean));
        if (own) CHECK(mean - 1e4 == doctest::Approx(plane / static_cast<double>(shape.plane())).epsilon(1e-8));
      }
      if (!own) continue;
      const double mean = sum / static_cast<double>(shape.n * shape.plane());
      double squares = 0;
      for (Index n = 0; n < shape.n; ++n)
        for (Index k = 0; k < shape.plane(); ++k) squares += std::pow(x.view().plane(n, c)[k] - 1e4 - mean, 2);
      const auto found = channels.get(c - block.first);
      CHECK(found.mean() - 1e4 == doctest::Approx(mean).epsilon(1e-8));
      CHECK(found.squares(static_cast<double>(shape.plane())) == doctest::Approx(squares).epsilon(1e-7));
    }
  }
}
