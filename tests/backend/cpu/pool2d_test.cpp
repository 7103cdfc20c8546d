// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/pool2d.hpp>

#include <doctest/doctest.h>

#include <recal/backend/reference/pool2d.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using recal::testing::random_tensor;
using recal::testing::relative_error;
using recal::testing::StridedTensor;

namespace {

struct Case {
  Shape x;
  Window window;

  explicit Case(std::uint64_t i) {
    const auto any = [i](std::string_view name, Index low, Index high) {
      return recal::testing::random_index(name, i, low, high);
    };
    window = {any("kernel", 1, 4), any("stride", 1, 3), 0};
    window.padding = any("padding", 0, window.kernel / 2);
    x = {any("n", 0, 3), any("c", 1, 4), any("h", 4, 12), any("w", 4, 12)};
  }
  [[nodiscard]] Shape y() const { return {x.n, x.c, window.positions(x.h), window.positions(x.w)}; }
};

/// Forward and backward of all poolings, on views.
template <class T>
struct Result {
  StridedTensor<T> max, max_dx, avg, avg_dx, padded, padded_dx, mean, mean_dx;
  Buffer<std::int32_t> arg_max;

  template <class B>
  Result(const B& backend, const Case& c)
      : max(c.y()),
        max_dx(c.x),
        avg(c.y()),
        avg_dx(c.x),
        padded(c.y()),
        padded_dx(c.x),
        mean({c.x.n, c.x.c, 1, 1}),
        mean_dx(c.x),
        arg_max(static_cast<std::size_t>(c.y().size())) {
    StridedTensor<T> x(random_tensor<T>("x", c.x));
    StridedTensor<T> dy(random_tensor<T>("dy", c.y()));
    const TensorView<const T> in = x.view();
    const TensorView<const T> gradient = dy.view();
    max_pool2d(backend, in, max.view(), c.window, arg_max.data());
    max_pool2d_backward(backend, gradient, max_dx.view(), arg_max.data());
    avg_pool2d(backend, in, avg.view(), c.window, false);
    avg_pool2d_backward(backend, gradient, avg_dx.view(), c.window, false);
    avg_pool2d(backend, in, padded.view(), c.window, true);
    avg_pool2d_backward(backend, gradient, padded_dx.view(), c.window, true);
    global_avg_pool(backend, in, mean.view());
    global_avg_pool_backward(backend, TensorView<const T>(mean.view()), mean_dx.view());
  }

  [[nodiscard]] std::array<StridedTensor<T>*, 8> all() {
    return {&max, &max_dx, &avg, &avg_dx, &padded, &padded_dx, &mean, &mean_dx};
  }
};

template <class T>
void check_equal(const Case& c, double tolerance) {
  Result<T> found(Cpu{}, c);
  Result<T> expected(Reference{}, c);
  CHECK(found.arg_max == expected.arg_max);
  for (std::size_t i = 0; i < 8; ++i) {
    CAPTURE(i);
    CHECK(relative_error(found.all()[i]->view(), expected.all()[i]->view()) <= tolerance);
    CHECK(found.all()[i]->gaps_untouched());
  }
}

}  // namespace

TEST_CASE("poolings equal the reference, with strides, paddings, gaps and empty batches") {
  for (std::uint64_t i = 0; i < 60; ++i) {
    CAPTURE(i);
    check_equal<float>(Case(i), 2e-6);
    check_equal<double>(Case(i), 1e-14);
  }
}

TEST_CASE("poolings give the same bits for any number of threads") {
  const int before = thread_count();
  Case c(0);
  c.x = {4, 40, 33, 31};
  c.window = {3, 2, 1};
  set_thread_count(1);
  Result<float> expected(Cpu{}, c);
  for (const int threads : {2, 3, 5}) {
    set_thread_count(threads);
    Result<float> found(Cpu{}, c);
    CHECK(found.arg_max == expected.arg_max);
    for (std::size_t i = 0; i < 8; ++i) CHECK(relative_error(found.all()[i]->view(), expected.all()[i]->view()) == 0.0);
  }
  set_thread_count(before);
}
