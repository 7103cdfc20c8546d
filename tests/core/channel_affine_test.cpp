// SPDX-License-Identifier: Apache-2.0
#include <recal/core/channel_affine.hpp>

#include <cmath>

#include <doctest/doctest.h>

using recal::ChannelAffine;
using recal::ChannelAffineRelu;
using recal::pack_for;

TEST_CASE("ChannelAffine takes the centre off first, for numbers and for packs alike") {
  using P = pack_for<float>;
  const ChannelAffine<float> map{2.0F, 16777215.0F, 0.5F};
  CHECK(map(16777216.0F) == 2.5F);
  CHECK(map(P(16777216.0F)).v[P::lanes - 1] == 2.5F);
  CHECK(map.as<double>()(16777216.0) == 2.5);
}

TEST_CASE("ChannelAffineRelu keeps what is positive and NaN") {
  const ChannelAffineRelu<float> map{{2.0F, 1.0F, 0.5F}};
  CHECK(map(2.0F) == 2.5F);
  CHECK(map(0.0F) == 0.0F);
  CHECK(std::isnan(map(NAN)));
}

TEST_CASE("a ChannelAffine of packs is one channel a lane") {
  using P = pack_for<double>;
  P scale(1.0);
  for (int lane = 0; lane < P::lanes; ++lane) scale.v[lane] = lane;
  const ChannelAffineRelu<P> maps{{scale, P(1.0), P(-2.0)}};
  const P y = maps(P(4.0));
  for (int lane = 0; lane < P::lanes; ++lane) CHECK(y.v[lane] == (lane == 0 ? 0.0 : 3.0 * lane - 2.0));
}
