// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/pool/gather_mean.hpp>

#include "tests/support/noise.hpp"
#include "tests/support/random_tensor.hpp"

using recal::Buffer;
using recal::GatherMean;
using recal::Index;
using recal::Shape;
using recal::Tensor;
using recal::TensorView;
using namespace recal::testing;

namespace {

/// t of channel c, (N, h, w).
template <class X>
Buffer<double> gathered(const GatherMean& pool, const X& x, Index c = 0) {
  const Shape field = pool.field(x.shape);
  Buffer<double> t(static_cast<std::size_t>(field.n * field.plane()));
  pool.infer(recal::Cpu::Team{}, c, x, t);
  return t;
}

/// What dt of one plane leaves for its pixels.
Buffer<double> scattered(const GatherMean& pool, const Shape& x, const Buffer<double>& dt) {
  Buffer<double> add(static_cast<std::size_t>(pool.uniform() ? 1 : x.plane()));
  pool.pull(0, 0, x, dt, {}, add);
  return pool.uniform() ? Buffer<double>(static_cast<std::size_t>(x.plane()), add[0]) : add;
}

/// The mean over |i - p e| < e, |j - q e| < e inside the map.
double window_mean(TensorView<const double> x, Index n, Index c, Index p, Index q, Index e) {
  double sum = 0;
  Index count = 0;
  for (Index i = 0; i < x.shape.h; ++i)
    for (Index j = 0; j < x.shape.w; ++j)
      if (std::abs(i - p * e) < e && std::abs(j - q * e) < e) {
        sum += x(n, c, i, j);
        ++count;
      }
  return sum / static_cast<double>(count);
}

double dot(const double* a, const double* b, Index count) { return std::inner_product(a, a + count, b, 0.0); }

}  // namespace

TEST_CASE("a 4 by 4 plane of 0 to 15 with extent 2") {
  Tensor<float> x({1, 1, 4, 4});
  std::iota(x.data(), x.data() + 16, 0.0F);
  CHECK(gathered(GatherMean(2), x.view()) == Buffer<double>{2.5, 4, 8.5, 10});
}

TEST_CASE("windows are those of the formula, for all sizes and extents") {
  for (const Index extent : {2, 4, 8, 16})
    for (Index h = 1; h <= 18; h += 2)
      for (Index w = 1; w <= 13; w += 3) {
        const auto x = random_tensor<double>("x", {2, 3, h, w});
        const GatherMean pool(extent);
        const Shape field = pool.field(x.shape());
        const auto t = gathered(pool, x.view(), 1);
        double worst = 0;
        for (Index n = 0; n < 2; ++n)
          for (Index p = 0; p < field.h; ++p)
            for (Index q = 0; q < field.w; ++q)
              worst = std::max(worst, std::abs(recal::at(t, (n * field.h + p) * field.w + q) -
                                               window_mean(x.view(), n, 1, p, q, extent)));
        CHECK_MESSAGE(worst < 1e-15, h, " by ", w, ", extent ", extent);
      }
}

TEST_CASE("extent 0 is the mean of the map, and so is a window that covers it") {
  const auto x = random_tensor<double>("x", {2, 2, 7, 7});
  const auto whole = gathered(GatherMean(0), x.view(), 1);
  const auto window = gathered(GatherMean(8), x.view(), 1);
  CHECK(whole.size() == 2);
  CHECK(window.size() == 2);
  for (std::size_t n = 0; n < 2; ++n) CHECK(whole[n] == doctest::Approx(window[n]).epsilon(1e-14));
  CHECK(GatherMean(0).uniform());
  CHECK_FALSE(GatherMean(8).uniform());
}

TEST_CASE("constants are preserved at the borders") {
  const Tensor<float> x({1, 1, 9, 5}, 3.0F);
  for (const Index extent : {0, 2, 4, 8})
    for (const double t : gathered(GatherMean(extent), x.view())) CHECK(t == 3);
}

TEST_CASE("pull is the transpose of gather: <gather(x), t> = <x, pull(t)>") {
  double worst = 0;
  for (const Index extent : {0, 2, 4, 8, 16})
    for (std::uint64_t i = 0; i < 60; ++i) {
      const Shape shape{1, 1, random_index("h", i, 1, 20), random_index("w", i, 1, 20)};
      const auto x = random_tensor<double>("x", shape);
      const GatherMean pool(extent);
      const auto t = gathered(pool, x.view());
      const auto dt = noise("dt", static_cast<Index>(t.size()));
      const auto dx = scattered(pool, shape, dt);
      worst = std::max(worst, std::abs(dot(t.data(), dt.data(), static_cast<Index>(t.size())) -
                                       dot(x.data(), dx.data(), shape.plane())));
    }
  CHECK(worst < 1e-13);
}

TEST_CASE_TEMPLATE("all scalars, with strides", T, float, recal::half, recal::bfloat16) {
  const auto x = random_tensor<T>("x", {2, 3, 5, 6});
  StridedTensor<T> strided(x);
  for (const Index extent : {0, 2})
    CHECK(gathered(GatherMean(extent), strided.view(), 2) == gathered(GatherMean(extent), x.view(), 2));
}

TEST_CASE("an extent that is no power of two is refused") {
  CHECK_THROWS_WITH_AS(GatherMean(6),
                       "recal: GE: the extent must be 0 (the whole map) or a power of two from 2 on, found 6",
                       recal::error);
}
