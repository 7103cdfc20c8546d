// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include <doctest/doctest.h>

#include <recal/core/zero_gradients.hpp>
#include <recal/pool/max.hpp>
#include <recal/recal.hpp>

#include "tests/support/module_golden.hpp"
#include "tests/support/noise_tensor.hpp"
#include "tests/support/same_bits.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

/// What one training step leaves behind.
template <class T>
struct Step {
  Tensor<T> y;
  Tensor<T> dx;
  Buffer<float> gradients;
};

template <class T, class B, class Module>
Step<T> step(const B& backend, Module module, const Tensor<T>& x, const Tensor<T>& dy) {
  Step<T> result{Tensor<T>(x.shape()), Tensor<T>(x.shape()), {}};
  typename Module::Tape tape;
  zero_gradients(module);
  module.forward(backend, x, result.y, tape);
  module.backward(backend, x, dy, result.dx, tape);
  for_each_parameter(
      module, [&](const auto& p) { result.gradients.insert(result.gradients.end(), p.grad.begin(), p.grad.end()); });
  return result;
}

/// Calls f with each module made for `channels`, its parameters stirred.
template <class F>
void for_each_module(Index channels, const F& f) {
  const auto with = [&f](auto module) {
    stir_parameters(module, 5);
    f(module);
  };
  with(Srm<float>(channels));
  with(Se<float>(channels));
  with(Eca<float>(channels));
  with(Gct<float>(channels));
  with(Grn<float>(channels));
  with(GeThetaMinus<float>(channels));
  with(GeThetaMinus<float>(channels, 2));
  with(GeTheta<float>(channels, {.extent = 2}));
  with(GeThetaPlus<float>(channels, {.gather = {.extent = 4}}));
}

}  // namespace

TEST_CASE("results are the same for any number of threads, and twice in a row (T14)") {
  for (const Shape& shape : {Shape{6, 24, 7, 7}, Shape{3, 17, 33, 31}, Shape{2, 3, 64, 64}}) {
    const auto x = noise<float>(shape, 1, 2, 0.3);
    const auto dy = noise<float>(shape, 2);
    for_each_module(shape.c, [&](auto& module) {
      set_thread_count(1);
      const auto expected = step(Cpu{}, module, x, dy);
      for (const int threads : {2, 3, 5, 2}) {
        set_thread_count(threads);
        const auto found = step(Cpu{}, module, x, dy);
        CHECK(same_bits(found.y, expected.y));
        CHECK(same_bits(found.dx, expected.dx));
        CHECK(found.gradients == expected.gradients);
      }
    });
  }
}

TEST_CASE("the CPU equals the reference backend") {
  for (const Shape& shape : {Shape{4, 16, 7, 7}, Shape{3, 9, 20, 13}, Shape{5, 2, 1, 1}, Shape{2, 8, 1, 300}}) {
    const auto x = noise<float>(shape, 1, 2, 0.3);
    const auto dy = noise<float>(shape, 2);
    for_each_module(shape.c, [&](auto& module) {
      const auto expected = step(Reference{}, module, x, dy);
      const auto found = step(Cpu{}, module, x, dy);
      CHECK(relative_error(found.y, expected.y) <= 2e-6);
      CHECK(relative_error(found.dx, expected.dx) <= (shape.n == 2 ? 1e-2 : 2e-5));
      CHECK(relative_error(found.gradients, expected.gradients) <= (shape.n == 2 ? 1e-2 : 2e-5));
    });
  }
}

TEST_CASE("a channel slice of a larger buffer is a tensor too (T14)") {
  const Shape shape{3, 8, 7, 7};
  const auto x = noise<float>(shape, 1);
  Tensor<float> large({3, 20, 7, 7}, 7.0F);
  const TensorView<float> slice{large.view().plane(0, 5), shape, large.view().stride_n, large.view().stride_c};
  for_each_module(8, [&](auto& module) {
    for (Index n = 0; n < 3; ++n)
      for (Index c = 0; c < 8; ++c) std::copy_n(x.view().plane(n, c), 49, slice.plane(n, c));
    Tensor<float> expected(shape);
    module.infer(x, expected);
    module.infer(slice, slice);  // in place
    for (Index n = 0; n < 3; ++n)
      for (Index c = 0; c < 8; ++c)
        CHECK(std::memcmp(slice.plane(n, c), expected.view().plane(n, c), 49 * sizeof(float)) == 0);
    CHECK(large(1, 4, 0, 0) == 7.0F);
    CHECK(large(1, 13, 0, 0) == 7.0F);
  });
}

TEST_CASE("backward may write over dy or over x") {
  const Shape shape{4, 8, 5, 5};
  const auto x = noise<float>(shape, 1);
  const auto dy = noise<float>(shape, 2);
  for_each_module(8, [&](auto& module) {
    const auto expected = step(Cpu{}, module, x, dy);
    for (const bool over_x : {false, true}) {
      auto in = x;
      auto grad = dy;
      Tensor<float> y(shape);
      typename std::remove_cvref_t<decltype(module)>::Tape tape;
      auto copy = module;
      copy.forward(in, y, tape);
      copy.backward(in, grad, over_x ? in : grad, tape);
      CHECK(same_bits(over_x ? in : grad, expected.dx));
    }
  });
}

TEST_CASE("max pooling's gradient lands on the first largest element, also in place") {
  Recalibrate<Max, Identity, Sigmoid> module(1, Max{}, Identity{});
  Tensor<float> x({1, 1, 2, 2});
  x.data()[0] = 1;
  x.data()[1] = x.data()[2] = 3;
  x.data()[3] = -1;
  const Tensor<float> dy({1, 1, 2, 2}, 1.0F);
  Tensor<float> y(x.shape());
  decltype(module)::Tape tape;
  module.forward(x, y, tape);
  module.backward(x, dy, x, tape);
  const double g = 1 / (1 + std::exp(-3.0));
  CHECK(x.data()[0] == doctest::Approx(g));
  CHECK(x.data()[1] == doctest::Approx(g + 6 * g * (1 - g)));
  CHECK(x.data()[2] == doctest::Approx(g));
}

TEST_CASE("mismatches are refused with both sides, before anything is written") {
  for_each_module(8, [&](auto& module) {
    const auto x = noise<float>({2, 8, 4, 4}, 1);
    Tensor<float> wrong({2, 8, 4, 5}, 7.0F);
    typename std::remove_cvref_t<decltype(module)>::Tape tape;
    CHECK_THROWS_WITH_AS(module.infer(x, wrong),
                         doctest::Contains("(N=2, C=8, H=4, W=5), expected (N=2, C=8, H=4, W=4)"), error);
    CHECK_THROWS_AS(module.forward(x, wrong, tape), error);
    Tensor<float> y(x.shape(), 7.0F);
    const auto narrow = noise<float>({2, 7, 4, 4}, 1);
    Tensor<float> narrow_y(narrow.shape(), 7.0F);
    CHECK_THROWS_WITH_AS(module.infer(narrow, narrow_y),
                         doctest::Contains("has 8 channels, the input has shape (N=2, C=7, H=4, W=4)"), error);
    CHECK_THROWS_AS(module.forward(narrow, narrow_y, tape), error);
    CHECK_THROWS_WITH_AS(module.backward(x, x, y, tape), doctest::Contains("the tape has shape"), error);
    module.forward(x, y, tape);
    CHECK_THROWS_WITH_AS(module.backward(x, wrong, y, tape), doctest::Contains("dy has shape"), error);
    CHECK_THROWS_AS(module.backward(x, x, wrong, tape), error);
    auto in_place = x;
    CHECK_THROWS_WITH_AS(module.forward(in_place, in_place, tape), doctest::Contains("in place"), error);
    CHECK(same_bits(in_place, x));
    for (Index i = 0; i < wrong.size(); ++i) CHECK(wrong.data()[i] == 7.0F);
    for (Index i = 0; i < narrow_y.size(); ++i) CHECK(narrow_y.data()[i] == 7.0F);
  });
}

TEST_CASE("inference and training agree where nothing depends on the mode") {
  const auto x = noise<float>({3, 8, 6, 6}, 1);
  const auto agree = [&x](auto module) {
    Tensor<float> trained(x.shape());
    Tensor<float> inferred(x.shape());
    typename decltype(module)::Tape tape;
    module.forward(x, trained, tape);
    module.infer(x, inferred);
    CHECK(same_bits(trained, inferred));
  };
  agree(Se<float>(8));
  agree(Eca<float>(8));
  agree(Gct<float>(8));
  agree(Grn<float>(8));
  agree(GeThetaMinus<float>(8, 4));
}

TEST_CASE("no NaN and no infinity from any finite input") {
  for (const float size : {1e-42F, 1e-20F, 1e18F, 1e30F}) {
    const auto unit = noise<float>({3, 8, 5, 5}, 1);
    Tensor<float> x(unit.shape());
    for (Index i = 0; i < x.size(); ++i) x.data()[i] = size * unit.data()[i];
    for_each_module(8, [&](auto& module) {
      Tensor<float> y(x.shape());
      typename std::remove_cvref_t<decltype(module)>::Tape tape;
      module.forward(x, y, tape);
      for (Index i = 0; i < y.size(); ++i) REQUIRE(std::isfinite(y.data()[i]));
    });
  }
}
