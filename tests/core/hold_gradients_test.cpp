// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/ge.hpp>
#include <recal/nn/batch_norm.hpp>
#include <recal/nn/conv2d.hpp>
#include <recal/nn/linear.hpp>
#include <recal/srm.hpp>

#include "tests/support/fill.hpp"
#include "tests/support/random_tensor.hpp"

using recal::Cpu;
using recal::Shape;
using recal::Tensor;
using recal::testing::random_tensor;

namespace {

/// backward(layer) of a layer whose gradients were released adds the same as that of one that had zeros.
template <class Layer, class Backward>
void check_made_anew(Layer held, const Backward& backward) {
  recal::for_each_parameter(held, [](const std::string& name, auto& parameter) {
    recal::testing::fill(name, -1, 1, parameter.value.data(), parameter.size());
  });
  Layer released = held;
  recal::release_gradients(released);
  recal::for_each_parameter(released, [](const auto& parameter) {
    CHECK(parameter.grad.capacity() == 0);
    CHECK(!parameter.value.empty());
  });
  backward(held);
  backward(released);
  std::vector<recal::Buffer<float>> gradients;
  recal::for_each_parameter(held, [&](const auto& parameter) { gradients.push_back(parameter.grad); });
  std::size_t next = 0;
  recal::for_each_parameter(released, [&](const std::string& name, const auto& parameter) {
    CHECK_MESSAGE(parameter.grad == gradients[next++], name);
    CHECK_MESSAGE(parameter.grad != recal::Buffer<float>(parameter.value.size(), 0.0F), name);
  });
}

}  // namespace

TEST_CASE("hold_gradients makes what is missing and leaves what is there") {
  recal::Srm<float> srm(3);
  recal::for_each_parameter(srm, [](auto& parameter) { parameter.grad.assign(parameter.grad.size(), 5.0F); });
  recal::release_gradients(srm.integrate());
  recal::hold_gradients(srm);
  recal::for_each_parameter(
      srm, [](const auto& parameter) { CHECK(parameter.grad == recal::Buffer<float>(parameter.value.size(), 0.0F)); });
  recal::for_each_parameter(srm, [](auto& parameter) { parameter.grad.assign(parameter.grad.size(), 5.0F); });
  recal::hold_gradients(srm);
  recal::for_each_parameter(
      srm, [](const auto& parameter) { CHECK(parameter.grad == recal::Buffer<float>(parameter.value.size(), 5.0F)); });
}

TEST_CASE("every backward pass makes gradients that were released anew") {
  const Shape shape{3, 4, 5, 6};
  const auto x = random_tensor<float>("x", shape);
  const auto dy = random_tensor<float>("dy", shape);
  Tensor<float> y(shape);
  Tensor<float> dx(shape);
  const auto with_tape = [&](auto& layer) {
    typename std::remove_cvref_t<decltype(layer)>::Tape tape;
    layer.forward(Cpu{}, x, y, tape);
    layer.backward(Cpu{}, x, dy, dx, tape);
  };
  check_made_anew(recal::Srm<float>(4), with_tape);
  check_made_anew(recal::GeTheta<float>(4, {.extent = 2}), with_tape);
  check_made_anew(recal::nn::BatchNorm2d<float>(4), with_tape);
  check_made_anew(recal::nn::Conv2d<float>(4, 4, {.kernel = 3, .padding = 1, .bias = true}),
                  [&](auto& layer) { layer.backward(Cpu{}, x, dy, dx); });
  const auto features = random_tensor<float>("features", {3, 7, 1, 1});
  const auto dlogits = random_tensor<float>("dlogits", {3, 2, 1, 1});
  check_made_anew(recal::nn::Linear<float>(7, 2),
                  [&](auto& layer) { layer.backward_parameters(Cpu{}, features, dlogits); });
}
