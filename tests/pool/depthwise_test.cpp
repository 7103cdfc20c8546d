// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include <recal/pool/depthwise.hpp>

#include "tests/support/noise.hpp"

using recal::Buffer;
using recal::DepthwisePlane;
using recal::Index;
using recal::testing::noise;

namespace {

double dot(const Buffer<double>& a, const Buffer<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// The sum of the header, element by element.
double naive(const DepthwisePlane& conv, const Buffer<double>& x, const Buffer<double>& w, Index p, Index q) {
  double sum = 0;
  for (Index a = 0; a < conv.kernel_h; ++a)
    for (Index b = 0; b < conv.kernel_w; ++b) {
      const Index i = p * conv.stride + a - conv.pad;
      const Index j = q * conv.stride + b - conv.pad;
      if (i >= 0 && i < conv.in_h && j >= 0 && j < conv.in_w)
        sum += recal::at(w, a * conv.kernel_w + b) * recal::at(x, i * conv.in_w + j);
    }
  return sum;
}

void check_plane(const DepthwisePlane& conv) {
  const auto x = noise("x", conv.in_size());
  const auto w = noise("w", conv.kernel_size());
  const auto dy = noise("dy", conv.out_size());
  Buffer<double> y(dy.size(), NAN);
  Buffer<double> dx(x.size(), NAN);
  Buffer<double> dw(w.size(), 1.0);
  conv.forward(x.data(), w.data(), y.data());
  conv.data_gradient(dy.data(), w.data(), dx.data());
  conv.weight_gradient(x.data(), dy.data(), dw.data());
  double worst = 0;
  for (Index p = 0; p < conv.out_h(); ++p)
    for (Index q = 0; q < conv.out_w(); ++q)
      worst = std::max(worst, std::abs(recal::at(y, p * conv.out_w() + q) - naive(conv, x, w, p, q)));
  for (double& value : dw) value -= 1;  // added to what was there
  CHECK(worst < 1e-14);
  CHECK(std::abs(dot(y, dy) - dot(x, dx)) < 1e-13);
  CHECK(std::abs(dot(y, dy) - dot(w, dw)) < 1e-13);
}

}  // namespace

TEST_CASE("halving: 3x3 at stride 2, forward as written, both gradients its transposes") {
  for (Index h = 1; h <= 9; ++h)
    for (Index w = 1; w <= 8; ++w) {
      const auto conv = DepthwisePlane::halving(h, w);
      CHECK(conv.out_h() == (h + 1) / 2);
      CHECK(conv.out_w() == (w + 1) / 2);
      check_plane(conv);
    }
}

TEST_CASE("whole: one product sum of the map and its filter") {
  for (Index h = 1; h <= 7; h += 2)
    for (Index w = 1; w <= 8; ++w) {
      const auto conv = DepthwisePlane::whole(h, w);
      CHECK(conv.out_size() == 1);
      CHECK(conv.kernel_size() == h * w);
      check_plane(conv);
    }
}

TEST_CASE("planes and filters may be in float") {
  const Buffer<float> x{1, 2, 3, 4};
  const Buffer<float> w{1, 10, 100, 1000};
  const auto conv = DepthwisePlane::whole(2, 2);
  double y = 0;
  conv.forward(x.data(), w.data(), &y);
  CHECK(y == 4321);
}
