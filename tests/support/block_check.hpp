// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/zero_gradients.hpp>
#include <recal/nn/workspace.hpp>

#include "tests/support/fill.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/random_tensor.hpp"

namespace recal::testing {

enum class BlockMode { training, frozen };

/// A residual block together with what its functions want.
template <class T, class Block>
struct BlockRun {
  Block block;
  Tensor<T> x;
  Tensor<T> dy;
  Tensor<T> dx{};
  typename Block::Tape tape{};
  nn::Workspace<T> work{};

  BlockRun(Block made, const Shape& shape)
      : block(std::move(made)), x(random_tensor<T>("x", shape)), dy(random_tensor<T>("dy", block.output_shape(shape))) {
    fill_network(block);
  }

  template <class Backend>
  void forward(const Backend& backend, BlockMode mode) {
    if (mode == BlockMode::training)
      block.forward(backend, std::as_const(x).view(), tape, work);
    else
      block.forward_frozen(backend, std::as_const(x).view(), tape, work);
  }

  template <class Backend>
  void backward(const Backend& backend) {
    zero_gradients(block);
    Tensor<T> gradient = dy;
    block.backward(backend, std::as_const(x).view(), gradient, dx, tape, work);
  }

  /// sum out * dy
  template <class Backend>
  [[nodiscard]] double loss(const Backend& backend, BlockMode mode) {
    forward(backend, mode);
    double sum = 0.0;
    for (Index i = 0; i < dy.size(); ++i) sum += static_cast<double>(tape.out.data()[i] * dy.data()[i]);
    return sum;
  }

  [[nodiscard]] std::vector<T> gradients() const {
    std::vector<T> all(dx.data(), dx.data() + dx.size());
    for_each_parameter(block, [&all](const auto& p) { all.insert(all.end(), p.grad.begin(), p.grad.end()); });
    return all;
  }
};

/// CHECKs all gradients of a block in double against central differences.
template <class Block>
void check_block_gradients(Block made, const Shape& shape, BlockMode mode) {
  BlockRun<double, Block> run(std::move(made), shape);
  run.forward(Cpu{}, mode);
  run.backward(Cpu{});
  double worst = 0.0;
  const auto compare = [&](double& variable, double gradient) {
    const double h = 1e-6;
    const double kept = std::exchange(variable, variable + h);
    const double above = run.loss(Cpu{}, mode);
    variable = kept - h;
    const double below = run.loss(Cpu{}, mode);
    variable = kept;
    const double error = std::abs((above - below) / (2 * h) - gradient) / std::max(1.0, std::abs(gradient));
    if (!(error <= worst)) worst = error;
  };
  for (Index i = 0; i < run.x.size(); ++i) compare(run.x.data()[i], run.dx.data()[i]);
  CHECK_MESSAGE(worst <= 1e-6, "gradient of the input");
  for_each_parameter(run.block, [&](const std::string& name, auto& parameter) {
    worst = 0.0;
    for (Index i = 0; i < parameter.size(); ++i) compare(at(parameter.value, i), at(parameter.grad, i));
    CHECK_MESSAGE(worst <= 1e-6, name, " is off by ", worst);
  });
}

/// CHECKs infer against forward_frozen, and that neither changes the block's state.
template <class T, class Block>
void check_block_inference(Block made, const Shape& shape) {
  BlockRun<T, Block> run(std::move(made), shape);
  std::vector<double> before;
  for_each_state(run.block, [&](const auto& s) { before.insert(before.end(), s.value.begin(), s.value.end()); });
  run.forward(Cpu{}, BlockMode::frozen);
  Tensor<T> y;
  run.block.infer(Cpu{}, std::as_const(run.x).view(), y, run.work);
  CHECK(y.shape() == run.tape.out.shape());
  CHECK(relative_error(y, run.tape.out) <= (std::is_same_v<T, double> ? 1e-14 : 1e-6));
  std::vector<double> after;
  for_each_state(run.block, [&](const auto& s) { after.insert(after.end(), s.value.begin(), s.value.end()); });
  CHECK(before == after);
}

/// CHECKs output and gradients of a training step on `first` against `second`, relative to the largest.
template <class T, class Block, class First, class Second>
void check_block_backends(const Block& made, const Shape& shape, const First& first, const Second& second,
                          double tolerance) {
  BlockRun<T, Block> a(made, shape);
  BlockRun<T, Block> b(made, shape);
  a.forward(first, BlockMode::training);
  b.forward(second, BlockMode::training);
  a.backward(first);
  b.backward(second);
  CHECK(relative_error(a.tape.out, b.tape.out) <= tolerance);
  CHECK(relative_error(a.gradients(), b.gradients()) <= tolerance);
}

/// CHECKs that a step gives the same bits with 1, 2 and 3 threads.
template <class Block>
void check_block_threads(const Block& made, const Shape& shape) {
  const int before = thread_count();
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    set_thread_count(threads);
    BlockRun<float, Block> run(made, shape);
    run.forward(Cpu{}, BlockMode::training);
    run.backward(Cpu{});
    std::vector<float> all = run.gradients();
    all.insert(all.end(), run.tape.out.data(), run.tape.out.data() + run.tape.out.size());
    if (threads == 1) first = all;
    CHECK(all == first);
  }
  set_thread_count(before);
}

template <class Block>
[[nodiscard]] std::vector<std::string> parameter_names(const Block& block) {
  std::vector<std::string> names;
  for_each_parameter(block, [&names](const std::string& name, const auto&) { names.push_back(name); });
  return names;
}

}  // namespace recal::testing
