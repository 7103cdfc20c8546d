// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/core/zero_gradients.hpp>
#include <recal/pool/gather_depthwise.hpp>

#include "tests/support/derivative.hpp"
#include "tests/support/integrate_check.hpp"
#include "tests/support/random_tensor.hpp"

using recal::Buffer;
using recal::GatherDepthwise;
using recal::GatherOptions;
using recal::Index;
using recal::Mode;
using recal::Shape;
using recal::Tensor;
using namespace recal::testing;

namespace {

using Pool = GatherDepthwise<double>;
using Names = std::vector<std::string>;
constexpr Shape map{3, 2, 5, 6};

GatherOptions options(Index extent, bool bias = false) {
  return {.extent = extent, .height = map.h, .width = map.w, .bias = bias, .seed = 3};
}

/// t of all channels, (C, N, h, w), with a tape; running statistics of `pool` stay as they are.
Buffer<double> gathered(Pool pool, const Tensor<double>& x, Mode mode, Pool::Tape& tape) {
  const Shape field = pool.field(x.shape());
  const Index count = field.n * field.plane();
  Buffer<double> t(static_cast<std::size_t>(field.size()));
  pool.begin(x.shape(), mode, tape);
  for (Index c = 0; c < field.c; ++c)
    pool.forward(recal::Cpu::Team{}, c, x.view(),
                 std::span(t).subspan(static_cast<std::size_t>(c * count), static_cast<std::size_t>(count)), tape);
  return t;
}

Buffer<double> inferred(const Pool& pool, const Tensor<double>& x) {
  const Shape field = pool.field(x.shape());
  const Index count = field.n * field.plane();
  Buffer<double> t(static_cast<std::size_t>(field.size()));
  for (Index c = 0; c < field.c; ++c)
    pool.infer(recal::Cpu::Team{}, c, x.view(),
               std::span(t).subspan(static_cast<std::size_t>(c * count), static_cast<std::size_t>(count)));
  return t;
}

/// The largest relative error of dx and of all parameter gradients for a random dt.
double pool_error(Pool pool, Mode mode) {
  Tensor<double> x = random_tensor<double>("x", map);
  const Index count = pool.field(map).size() / map.c;
  const Buffer<double> dt = noise("dt", pool.field(map).size());
  Pool::Tape tape;
  const auto loss = [&] {
    const auto t = gathered(pool, x, mode, tape);
    return std::inner_product(t.begin(), t.end(), dt.begin(), 0.0);
  };

  recal::zero_gradients(pool);
  Tensor<double> dx(map, NAN);
  for (int time = 0; time < 2; ++time) {
    static_cast<void>(loss());
    for (Index c = 0; c < map.c; ++c) {
      const auto own = std::span(dt).subspan(static_cast<std::size_t>(c * count), static_cast<std::size_t>(count));
      pool.backward(c, x.view(), own, tape);
      for (Index n = 0; n < map.n; ++n)
        pool.pull(c, n, map, own, tape, {dx.view().plane(n, c), static_cast<std::size_t>(map.plane())});
    }
  }
  const auto size = static_cast<std::size_t>(map.size());
  double worst = gradient_error({dx.data(), size}, {x.data(), size}, loss);
  recal::for_each_parameter(pool, [&](const std::string& name, auto& parameter) {
    for (double& value : parameter.grad) value /= 2;  // backward ran twice and must have added
    if (name.ends_with(".bias") && !name.ends_with("bn.bias") && mode == Mode::train)
      for (const double value : parameter.grad) worst = std::max(worst, std::abs(value));  // batch norm cancels it
    else
      worst = std::max(worst, gradient_error(parameter.grad, parameter.value, loss));
  });
  return worst;
}

Pool random_pool(Index extent, bool bias) {
  Pool pool(map.c, options(extent, bias));
  randomise(pool, 0.3, 1.2);
  recal::for_each_state(
      pool, [](const std::string& name, auto& state) { fill(name, 0.4, 1.6, state.value.data(), state.size()); });
  return pool;
}

}  // namespace

TEST_CASE("the global gather is a product sum per plane, normalised") {
  const Pool pool(map.c, options(0));
  const auto x = random_tensor<double>("x", map);
  const auto t = inferred(pool, x);
  REQUIRE(pool.field(map) == Shape{3, 2, 1, 1});
  std::vector<double> weight;
  recal::for_each_parameter(pool, [&](const std::string& name, const auto& parameter) {
    if (name == "gather.0.weight") weight.assign(parameter.value.begin(), parameter.value.end());
  });
  for (Index c = 0; c < 2; ++c)
    for (Index n = 0; n < 3; ++n) {
      const double sum =
          std::inner_product(x.view().plane(n, c), x.view().plane(n, c) + 30, weight.data() + c * 30, 0.0);
      CHECK(recal::at(t, c * 3 + n) == doctest::Approx(sum / std::sqrt(1 + 1e-5)).epsilon(1e-13));
    }
}

TEST_CASE("gradients are those of difference quotients") {
  for (const Index extent : {0, 2, 4, 8})
    for (const bool bias : {false, true}) {
      CHECK_MESSAGE(pool_error(random_pool(extent, bias), Mode::train) < 1e-7, "training, extent ", extent);
      CHECK_MESSAGE(pool_error(random_pool(extent, bias), Mode::frozen) < 1e-7, "frozen, extent ", extent);
    }
}

TEST_CASE("frozen forward and inference see the same field") {
  const auto x = random_tensor<double>("x", map);
  for (const Index extent : {0, 2, 8}) {
    const Pool pool = random_pool(extent, true);
    Pool::Tape tape;
    CHECK(relative_error(gathered(pool, x, Mode::frozen, tape), inferred(pool, x)) < 1e-14);
  }
}

TEST_CASE("training updates the running statistics of every level once") {
  Pool pool(map.c, options(4));
  const auto x = random_tensor<double>("x", map);
  Pool::Tape tape;
  pool.begin(map, Mode::train, tape);
  Buffer<double> t(static_cast<std::size_t>(pool.field(map).size() / map.c));
  for (Index c = 0; c < map.c; ++c) pool.forward(recal::Cpu::Team{}, c, x.view(), t, tape);
  recal::for_each_state(pool, [](const std::string& name, const auto& state) {
    if (name.ends_with("num_batches_tracked")) CHECK_MESSAGE(state.value[0] == 1, name);
    if (name.ends_with("running_var")) CHECK_MESSAGE(state.value[1] != 1, name);
  });
}

TEST_CASE("names, sizes and decay of the parameters") {
  const Pool two(map.c, options(4));
  CHECK(leaf_names(two) == Names{"gather.0.weight", "gather.0.bn.weight", "gather.0.bn.bias",
                                 "gather.0.bn.running_mean", "gather.0.bn.running_var",
                                 "gather.0.bn.num_batches_tracked", "gather.1.weight", "gather.1.bn.weight",
                                 "gather.1.bn.bias", "gather.1.bn.running_mean", "gather.1.bn.running_var",
                                 "gather.1.bn.num_batches_tracked"});
  CHECK(recal::parameter_count(two) == 2 * (2 * 9 + 2 * 2));
  const Pool global(map.c, options(0, true));
  CHECK(leaf_names(global)[1] == "gather.0.bias");
  CHECK(recal::parameter_count(global) == 2 * 30 + 2 + 2 * 2);
  recal::for_each_parameter(global, [](const std::string& name, const auto& parameter) {
    CHECK_MESSAGE(parameter.decay == (name == "gather.0.weight"), name);
  });
}

TEST_CASE("starting weights follow the seed and lie within 1/sqrt(taps)") {
  const auto weights = [](std::uint64_t seed) {
    const Pool pool(4, {.extent = 2, .seed = seed});
    std::vector<double> values;
    recal::for_each_parameter(pool, [&](const std::string& name, const auto& parameter) {
      if (name == "gather.0.weight") values.assign(parameter.value.begin(), parameter.value.end());
    });
    return values;
  };
  CHECK(weights(1) == weights(1));
  CHECK(weights(1) != weights(2));
  for (const double value : weights(1)) CHECK(std::abs(value) <= 1.0 / 3);
}

TEST_CASE("fields are ceil(H/e) by ceil(W/e)") {
  CHECK(Pool(2, options(2)).field({3, 2, 7, 6}) == Shape{3, 2, 4, 3});
  CHECK(Pool(2, options(8)).field({3, 2, 17, 5}) == Shape{3, 2, 3, 1});
}

TEST_CASE("what it cannot be made for or fed with is refused with both sides") {
  CHECK_THROWS_WITH_AS(Pool(2, {.extent = 3}),
                       "recal: GE: the extent must be 0 (the whole map) or a power of two from 2 on, found 3",
                       recal::error);
  CHECK_THROWS_WITH_AS(
      Pool(2, {.extent = 0, .height = 7}),
      "recal: GE: a global gather with parameters is made for one map size; give height and width, found 7 and 0",
      recal::error);
  CHECK_THROWS_WITH_AS(static_cast<void>(Pool(2, options(0)).field({3, 2, 6, 5})),
                       "recal: GE: the gather is made for maps of 5 by 6, the input has shape (N=3, C=2, H=6, W=5)",
                       recal::error);
}

TEST_CASE("one value per channel cannot be normalised in training") {
  CHECK_NOTHROW(Pool(2, options(2)).check_training({1, 2, 4, 4}));
  CHECK_NOTHROW(Pool(2, options(4)).check_training({2, 2, 4, 4}));
  CHECK_THROWS_AS(Pool(2, options(4)).check_training({1, 2, 4, 4}), recal::error);
  CHECK_THROWS_AS(Pool(2, options(0)).check_training({1, 2, 5, 6}), recal::error);
}
