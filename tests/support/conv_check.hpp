// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <recal/backend/cpu/conv2d.hpp>
#include <recal/backend/cpu/conv2d_gradient.hpp>
#include <recal/backend/cpu/winograd_product.hpp>
#include <recal/backend/reference/conv2d.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/random_tensor.hpp"

namespace recal::testing {

struct ConvCase {
  Shape x;
  Index outputs;
  Window window;
  Index groups = 1;

  [[nodiscard]] Shape y() const { return {x.n, outputs, window.positions(x.h), window.positions(x.w)}; }
  [[nodiscard]] Index weights() const { return outputs * (x.c / groups) * window.area(); }
};

[[nodiscard]] inline std::string to_string(const ConvCase& c) {
  return recal::to_string(c.x) + " -> " + std::to_string(c.outputs) + " kernel " + std::to_string(c.window.kernel) +
         " stride " + std::to_string(c.window.stride) + " padding " + std::to_string(c.window.padding) + " groups " +
         std::to_string(c.groups);
}

/// The i-th of a series of small convolutions of all kinds.
[[nodiscard]] inline ConvCase random_conv(std::uint64_t i) {
  const auto any = [i](std::string_view name, Index low, Index high) { return random_index(name, i, low, high); };
  static constexpr Index kernels[] = {1, 1, 2, 3, 3, 5, 7};
  ConvCase c{};
  c.window = {kernels[any("kernel", 0, 6)], any("stride", 1, 3), 0};
  c.window.padding = any("padding", 0, c.window.kernel);
  c.groups = any("grouped", 0, 3) == 0 ? any("groups", 2, 4) : 1;
  c.x = {any("n", 1, 5), c.groups * any("c", 1, 9), any("h", 7, 17), any("w", 7, 17)};
  c.outputs = c.groups * any("o", 1, 14);
  if (any("depthwise", 0, 5) == 0) c.groups = c.outputs = c.x.c;
  return c;
}

/// Convolutions that Winograd's algorithm suits in all three products, with small tiles and with large ones: odd
/// planes, every padding, groups, more channels than are summed up in one go.
[[nodiscard]] inline std::vector<ConvCase> winograd_cases() {
  return {{{3, 40, 9, 11}, 24, {3, 1, 1}},     {{4, 32, 8, 8}, 64, {3, 1, 0}},    {{2, 32, 13, 5}, 40, {3, 1, 2}},
          {{2, 64, 12, 12}, 64, {3, 1, 1}, 2}, {{1, 20, 40, 70}, 50, {3, 1, 1}},  {{2, 400, 14, 14}, 40, {3, 1, 1}},
          {{9, 40, 15, 11}, 48, {3, 1, 1}},    {{3, 150, 39, 54}, 40, {3, 1, 0}}, {{3, 80, 17, 24}, 48, {3, 1, 2}, 2}};
}

/// Maps of some channels that leave about half of random numbers positive.
template <class T>
class SomeStart {
 public:
  explicit SomeStart(Index channels)
      : scale_(random_tensor<T>("start scale", {1, 1, 1, channels}, -2, 2)),
        centre_(random_tensor<T>("start centre", {1, 1, 1, channels})),
        shift_(random_tensor<T>("start shift", {1, 1, 1, channels})) {}

  [[nodiscard]] ConvStart<T> start() const { return {scale_.data(), centre_.data(), shift_.data()}; }

 private:
  Tensor<T> scale_, centre_, shift_;
};

/// All that a convolution computes from random numbers.
template <class T>
struct ConvResult {
  Tensor<T> y, finished, dx, joined_dx, dweight, started_dweight, dbias;

  template <class B>
  ConvResult(const B& backend, const ConvCase& c)
      : y(c.y()),
        finished(c.y()),
        dx(c.x),
        joined_dx(c.x),
        dweight(Shape{1, 1, 1, c.weights()}, T{1}),
        started_dweight(dweight),
        dbias(Shape{1, 1, 1, c.outputs}, T{-1}) {
    const auto x = random_tensor<T>("x", c.x);
    const auto dy = random_tensor<T>("dy", c.y());
    const auto weight = random_tensor<T>("weight", dweight.shape());
    const auto bias = random_tensor<T>("bias", dbias.shape());
    conv2d(backend, x.view(), weight.data(), y.view(), c.window, c.groups, ConvFinish<T>{.shift = bias.data()});
    const SomeStart<T> some(c.x.c);
    const auto scale = random_tensor<T>("scale", dbias.shape());
    const auto shortcut = random_tensor<T>("shortcut", c.y());
    conv2d(backend, x.view(), weight.data(), finished.view(), c.window, c.groups,
           {.scale = scale.data(), .shift = bias.data(), .shortcut = shortcut.view(), .relu = true}, some.start());
    conv2d_backward_data(backend, dy.view(), weight.data(), dx.view(), c.window, c.groups);
    const auto other_way = random_tensor<T>("other way", c.x);
    conv2d_backward_data(backend, dy.view(), weight.data(), joined_dx.view(), c.window, c.groups,
                         ConvFinish<T>{.shortcut = other_way.view()});
    conv2d_backward_weight(backend, x.view(), dy.view(), dweight.data(), dbias.data(), c.window, c.groups);
    conv2d_backward_weight(backend, x.view(), dy.view(), started_dweight.data(), static_cast<T*>(nullptr), c.window,
                           c.groups, some.start());
  }

  /// The largest error of all seven.
  [[nodiscard]] double error_against(const ConvResult& other) const {
    return std::max({relative_error(y, other.y), relative_error(finished, other.finished), relative_error(dx, other.dx),
                     relative_error(joined_dx, other.joined_dx), relative_error(dweight, other.dweight),
                     relative_error(started_dweight, other.started_dweight), relative_error(dbias, other.dbias)});
  }
};

}  // namespace recal::testing
