// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/pool2d.hpp>

#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <recal/nn/pool2d.hpp>

#include "tests/support/device_orders.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/narrow_tensor.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

struct Case {
  Shape shape;
  Window window;
};

const Case cases[] = {{{2, 3, 7, 9}, {3, 2, 1}},   {{1, 2, 8, 8}, {2, 2, 0}},   {{3, 2, 5, 4}, {3, 1, 1}},
                      {{1, 1, 1, 1}, {3, 2, 1}},   {{2, 1, 33, 35}, {3, 2, 1}}, {{1, 2, 13, 11}, {5, 3, 2}},
                      {{2, 2, 9, 6}, {2, 3, 0}},   {{1, 1, 6, 7}, {6, 1, 3}},   {{0, 3, 8, 8}, {2, 2, 0}},
                      {{1, 1, 70, 67}, {2, 1, 0}}, {{1, 3, 14, 14}, {7, 4, 3}}};

/// 1e-6 in float, a rounding of the result in half and bfloat16.
template <class T>
constexpr double bound = std::is_same_v<T, float>  ? 1e-6
                         : std::is_same_v<T, half> ? 0x1p-11
                                                   : 0x1p-8;

template <class T>
void check_golden(const std::string& name, double gradient_bound) {
  const Golden g(name);
  const auto option = [&](const char* key) { return static_cast<Index>(g.number(key)); };
  const Window window{option("kernel"), option("stride"), option("padding")};
  const HostMachine m(Schedule::random(7));
  const cuda::DeviceTensor<T> x(m, g.tensor<T>("x"));
  const cuda::DeviceTensor<T> dy(m, g.tensor<T>("dy"));
  cuda::DeviceTensor<T> y(m, dy.shape());
  cuda::DeviceTensor<T> dx(m, x.shape());
  cuda::MaxPool2d::Tape tape;
  cuda::max_pool2d(m, x, y, window, tape);
  cuda::max_pool2d_backward(m, dy, dx, window, tape);
  check_tensor(y.to_host(m), g, "y", 0.0);
  check_tensor(dx.to_host(m), g, "dx", gradient_bound);
}

template <class T>
void check_max(const Case& c, const Tensor<T>& x, const Tensor<T>& dy) {
  Tensor<float> y(dy.shape());
  Tensor<float> dx(x.shape());
  nn::MaxPool2d::Tape tape;
  nn::max_pool2d(Cpu{}, widened(x), y, c.window, tape);
  nn::max_pool2d_backward(Cpu{}, widened(dy), dx, c.window, tape);
  const auto found_dx = in_every_order([&](const HostMachine& m) {
    const cuda::DeviceTensor<T> in(m, x);
    const cuda::DeviceTensor<T> gradient(m, dy);
    cuda::DeviceTensor<T> out(m, dy.shape());
    cuda::DeviceTensor<T> back(m, x.shape());
    cuda::MaxPool2d::Tape kept;
    cuda::max_pool2d(m, in, out, c.window, kept);
    CHECK(download(m, kept.arg_max) == tape.arg_max);
    CHECK(relative_error(out.to_host(m), y) == 0.0);
    cuda::max_pool2d(m, in, out, c.window);
    CHECK(relative_error(out.to_host(m), y) == 0.0);
    cuda::max_pool2d_backward(m, gradient, back, c.window, kept);
    return back.to_host(m);
  });
  const double error = relative_error(found_dx, dx);
  CHECK_MESSAGE(error <= bound<T>, "dx of max pooling is off by ", error);
}

template <class T>
void check_avg(const Case& c, const Tensor<T>& x, const Tensor<T>& dy, bool count_padding) {
  Tensor<float> y(dy.shape());
  Tensor<float> dx(x.shape());
  nn::avg_pool2d(Cpu{}, widened(x), y, c.window, count_padding);
  nn::avg_pool2d_backward(Cpu{}, widened(dy), dx, c.window, count_padding);
  const auto found_y = in_every_order([&](const HostMachine& m) {
    const cuda::DeviceTensor<T> in(m, x);
    cuda::DeviceTensor<T> out(m, dy.shape());
    cuda::avg_pool2d(m, in, out, c.window, count_padding);
    return out.to_host(m);
  });
  const auto found_dx = in_every_order([&](const HostMachine& m) {
    const cuda::DeviceTensor<T> gradient(m, dy);
    cuda::DeviceTensor<T> back(m, x.shape());
    cuda::avg_pool2d_backward(m, gradient, back, c.window, count_padding);
    return back.to_host(m);
  });
  CHECK(relative_error(found_y, y) <= bound<T>);
  CHECK(relative_error(found_dx, dx) <= bound<T>);
}

}  // namespace

TEST_CASE("max_pool2d on the host run equals PyTorch's") {
  for (const std::string& name : golden_cases("maxpool_")) {
    check_golden<float>(name, 2e-6);
    check_golden<double>(name, 1e-9);
  }
}

TEST_CASE_TEMPLATE("poolings on the host run equal the CPU's", T, float, half, bfloat16) {
  for (const Case& c : cases) {
    CAPTURE(to_string(c.shape));
    CAPTURE(c.window.kernel);
    const auto x = random_tensor<T>("x", c.shape);
    const auto dy = random_tensor<T>("dy", nn::detail::pooled_shape(c.window, c.shape));
    check_max(c, x, dy);
    check_avg(c, x, dy, false);
    check_avg(c, x, dy, true);
  }
}

TEST_CASE("max_pool2d on the host run: the first of equal maxima gets the gradient, NaN wins") {
  constexpr Window window{2, 2, 0};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const float numbers[] = {1,         1,         3,  nan,  //
                           1,         1,         4,  5,    //
                           -infinity, -infinity, -1, -2,   //
                           -infinity, -infinity, -3, -1};
  Tensor<float> x(Shape{1, 1, 4, 4});
  std::copy_n(numbers, 16, x.data());
  const HostMachine m(Schedule::reverse());
  cuda::DeviceTensor<float> y(m, Shape{1, 1, 2, 2});
  cuda::MaxPool2d::Tape tape;
  cuda::max_pool2d(m, cuda::DeviceTensor<float>(m, x), y, window, tape);
  const auto found = y.to_host(m);
  CHECK(found.data()[0] == 1.0F);
  CHECK(found.data()[1] != found.data()[1]);
  CHECK(found.data()[2] == -infinity);
  CHECK(found.data()[3] == -1.0F);
  CHECK(download(m, tape.arg_max) == Buffer<std::int32_t>{0, 3, 8, 10});
}

TEST_CASE_TEMPLATE("global_avg_pool on the host run equals the CPU's", T, float, half, bfloat16) {
  for (const Shape& shape : {Shape{3, 5, 7, 3}, Shape{2, 9, 7, 7}, Shape{1, 2, 40, 41}, Shape{2, 1, 1, 1}}) {
    CAPTURE(to_string(shape));
    Tensor<T> x = random_tensor<T>("x", shape);
    for (Index k = 0; k < x.size(); ++k) x.data()[k] = static_cast<T>(static_cast<float>(x.data()[k]) + 3.0F);
    const auto dy = random_tensor<T>("dy", {shape.n, shape.c, 1, 1});
    Tensor<float> y(dy.shape());
    Tensor<float> dx(shape);
    nn::global_avg_pool(Cpu{}, widened(x), y);
    nn::global_avg_pool_backward(Cpu{}, widened(dy), dx);
    const auto found_y = in_every_order([&](const HostMachine& m) {
      const StridedDeviceTensor<T> in(m, x);
      cuda::DeviceTensor<T> out(m, dy.shape());
      cuda::global_avg_pool(m, in.view(), out);
      return out.to_host(m);
    });
    const auto found_dx = in_every_order([&](const HostMachine& m) {
      const cuda::DeviceTensor<T> gradient(m, dy);
      const StridedDeviceTensor<T> back(m, x);
      cuda::global_avg_pool_backward(m, gradient, back.view());
      return back.to_host(m);
    });
    CHECK(relative_error(found_y, y) <= bound<T>);
    CHECK(relative_error(found_dx, dx) <= bound<T>);
  }
}

TEST_CASE("poolings' faults on a machine state both sides, and nothing is written") {
  const HostMachine m(Schedule::forward());
  const cuda::DeviceTensor<float> x(m, Tensor<float>(Shape{1, 2, 8, 8}, 0.0F));
  const Tensor<float> before(Shape{1, 2, 4, 3}, 7.0F);
  cuda::DeviceTensor<float> y(m, before);
  cuda::MaxPool2d::Tape tape;
  CHECK_THROWS_WITH_AS(cuda::max_pool2d(m, x, y, {3, 2, 1}, tape),
                       "recal: a pooling's output has shape (N=1, C=2, H=4, W=3), expected (N=1, C=2, H=4, W=4)",
                       error);
  CHECK_THROWS_WITH_AS(cuda::avg_pool2d(m, x, y, {3, 2, 2}),
                       "recal: a pooling with kernel 3 has padding 2; at most half the kernel is allowed", error);
  CHECK_THROWS_AS(cuda::avg_pool2d(m, x, y, {9, 1, 0}), error);
  CHECK_THROWS_AS(cuda::max_pool2d(m, x, y, {0, 1, 0}), error);
  CHECK_THROWS_AS(cuda::global_avg_pool(m, x, y), error);
  CHECK_THROWS_AS(cuda::global_avg_pool(m, cuda::DeviceTensor<float>(m, Shape{1, 2, 0, 3}), y), error);
  CHECK_THROWS_AS(cuda::global_avg_pool_backward(m, y, x), error);
  CHECK_THROWS_AS(cuda::max_pool2d_backward(m, y, x, {3, 2, 1}, tape), error);
  CHECK_THROWS_AS(cuda::avg_pool2d_backward(m, y, x, {3, 2, 1}), error);
  CHECK(tape.arg_max.size() == 0);
  CHECK(same_bits(y.to_host(m), before));
}
