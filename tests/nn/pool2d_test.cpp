// SPDX-License-Identifier: Apache-2.0
#include <recal/nn/pool2d.hpp>

#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/golden.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/started.hpp"

using namespace recal;
using recal::testing::Golden;
using recal::testing::random_tensor;
using recal::testing::relative_error;

namespace {

template <class T, class B>
void check_golden(const B& backend, const std::string& name) {
  const Golden g(name);
  const auto option = [&](const char* key) { return static_cast<Index>(g.number(key)); };
  const Window window{option("kernel"), option("stride"), option("padding")};
  const auto x = g.tensor<T>("x");
  const auto dy = g.tensor<T>("dy");
  Tensor<T> y(dy.shape());
  Tensor<T> dx(x.shape(), T{5});
  nn::MaxPool2d::Tape tape;
  nn::max_pool2d(backend, x, y, window, tape);
  nn::max_pool2d_backward(backend, dy, dx, window, tape);
  recal::testing::check_tensor(y, g, "y", 0.0);
  recal::testing::check_tensor(dx, g, "dx", std::is_same_v<T, double> ? 1e-9 : 2e-5);
  Tensor<T> inferred(dy.shape());
  nn::max_pool2d(backend, x, inferred, window);
  CHECK(relative_error(inferred, y) == 0.0);
}

}  // namespace

TEST_CASE_TEMPLATE("max_pool2d equals PyTorch's", B, Cpu, Reference) {
  for (const std::string& name : recal::testing::golden_cases("maxpool_")) {
    check_golden<double>(B{}, name);
    check_golden<float>(B{}, name);
  }
}

TEST_CASE_TEMPLATE("max_pool2d: the first of equal maxima gets the gradient, NaN wins", B, Cpu, Reference) {
  constexpr Window window{2, 2, 0};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  float x[] = {1,         1,         3,  nan,  //
               1,         1,         4,  5,    //
               -infinity, -infinity, -1, -2,   //
               -infinity, -infinity, -3, -1};
  float y[4];
  float dy[] = {10, 20, 30, 40};
  float dx[16];
  nn::MaxPool2d::Tape tape;
  nn::max_pool2d(B{}, TensorView<float>(x, {1, 1, 4, 4}), TensorView<float>(y, {1, 1, 2, 2}), window, tape);
  CHECK(y[0] == 1.0F);
  CHECK(y[1] != y[1]);
  CHECK(y[2] == -infinity);
  CHECK(y[3] == -1.0F);
  CHECK(tape.arg_max == Buffer<std::int32_t>{0, 3, 8, 10});
  nn::max_pool2d_backward(B{}, TensorView<float>(dy, {1, 1, 2, 2}), TensorView<float>(dx, {1, 1, 4, 4}), window, tape);
  CHECK(std::vector<float>(dx, dx + 16) == std::vector<float>{10, 0, 0, 20, 0, 0, 0, 0, 30, 0, 40, 0, 0, 0, 0, 0});
}

TEST_CASE_TEMPLATE("avg_pool2d counts the pixels inside, or all", B, Cpu, Reference) {
  constexpr Window window{3, 2, 1};
  double x[] = {1, 2, 3,  //
                4, 5, 6,  //
                7, 8, 9};
  double y[4];
  const TensorView<double> in(x, {1, 1, 3, 3});
  const TensorView<double> out(y, {1, 1, 2, 2});
  nn::avg_pool2d(B{}, in, out, window);
  CHECK(std::vector<double>(y, y + 4) == std::vector<double>{3, 4, 6, 7});
  double dy[] = {4, 8, 12, 16};
  double dx[9];
  nn::avg_pool2d_backward(B{}, TensorView<double>(dy, {1, 1, 2, 2}), TensorView<double>(dx, {1, 1, 3, 3}), window);
  CHECK(std::vector<double>(dx, dx + 9) == std::vector<double>{1, 3, 2, 4, 10, 6, 3, 7, 4});
  nn::avg_pool2d(B{}, in, out, window, true);
  for (int k = 0; k < 4; ++k)
    CHECK(y[k] == doctest::Approx(std::vector<double>{12, 16, 24, 28}[static_cast<std::size_t>(k)] / 9.0));
  nn::avg_pool2d_backward(B{}, TensorView<double>(dy, {1, 1, 2, 2}), TensorView<double>(dx, {1, 1, 3, 3}), window,
                          true);
  CHECK(dx[4] == doctest::Approx(40.0 / 9));
}

TEST_CASE_TEMPLATE("global_avg_pool and its gradient", B, Cpu, Reference) {
  const auto x = random_tensor<double>("x", {3, 5, 7, 3});
  Tensor<double> y(Shape{3, 5, 1, 1});
  nn::global_avg_pool(B{}, x, y);
  for (Index n = 0; n < 3; ++n)
    for (Index c = 0; c < 5; ++c) {
      double sum = 0;
      for (Index k = 0; k < 21; ++k) sum += x.view().plane(n, c)[k];
      CHECK(y(n, c, 0, 0) == doctest::Approx(sum / 21));
    }
  Tensor<double> dx(x.shape());
  nn::global_avg_pool_backward(B{}, y, dx);
  for (Index n = 0; n < 3; ++n) CHECK(dx(n, 4, 6, 2) == doctest::Approx(y(n, 4, 0, 0) / 21));
}

TEST_CASE("poolings' faults state both sides") {
  Tensor<float> x(Shape{1, 2, 8, 8}, 0.0F);
  Tensor<float> y(Shape{1, 2, 4, 3}, 7.0F);
  nn::MaxPool2d::Tape tape;
  CHECK_THROWS_WITH_AS(nn::max_pool2d(Cpu{}, x, y, {3, 2, 1}, tape),
                       "recal: a pooling's output has shape (N=1, C=2, H=4, W=3), expected (N=1, C=2, H=4, W=4)",
                       error);
  CHECK_THROWS_WITH_AS(nn::avg_pool2d(Cpu{}, x, y, {3, 2, 2}),
                       "recal: a pooling with kernel 3 has padding 2; at most half the kernel is allowed", error);
  CHECK_THROWS_AS(nn::avg_pool2d(Cpu{}, x, y, {9, 1, 0}), error);
  CHECK_THROWS_AS(nn::max_pool2d(Cpu{}, x, y, {0, 1, 0}), error);
  CHECK_THROWS_AS(nn::global_avg_pool(Cpu{}, x, y), error);
  CHECK_THROWS_AS(nn::global_avg_pool_backward(Cpu{}, y, x), error);
  CHECK_THROWS_AS(nn::max_pool2d_backward(Cpu{}, y, x, {3, 2, 1}, tape), error);
  CHECK_THROWS_AS(nn::avg_pool2d_backward(Cpu{}, y, x, {3, 2, 1}), error);
  CHECK(tape.arg_max.empty());
  for (Index k = 0; k < y.size(); ++k) CHECK(y.data()[k] == 7.0F);
}

TEST_CASE_TEMPLATE("max_pool2d with a start is that of the mapped tensor, the places of the maxima too", B, Cpu,
                   Reference) {
  const Shape shape{2, 3, 9, 11};
  const auto x = random_tensor<double>("x", shape);
  const double scale[] = {2.0, -1.0, 0.5};
  const double centre[] = {0.25, 0.0, -0.5};
  const double shift[] = {-0.5, 0.25, 0.0};
  const ConvStart<double> start{scale, centre, shift};
  const Tensor<double> mapped = recal::testing::started(typename B::Team{}, x, start);
  for (const Window& window : {Window{3, 2, 1}, Window{2, 2, 0}}) {
    Tensor<double> y({2, 3, window.positions(9), window.positions(11)});
    Tensor<double> expected(y.shape());
    nn::MaxPool2d::Tape tape;
    nn::MaxPool2d::Tape expected_tape;
    nn::max_pool2d(B{}, x, y, window, tape, start);
    nn::max_pool2d(B{}, mapped, expected, window, expected_tape);
    CHECK(relative_error(y, expected) == 0.0);
    CHECK(tape.arg_max == expected_tape.arg_max);
  }
}
