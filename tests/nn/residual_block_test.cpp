// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/ge.hpp>
#include <recal/nn/bottleneck.hpp>
#include <recal/srm.hpp>

#include "tests/support/block_check.hpp"

namespace {

using recal::Shape;
using recal::Tensor;
using recal::nn::bottleneck;
using recal::nn::ResidualBlock;
using recal::testing::BlockMode;
using recal::testing::BlockRun;

TEST_CASE("residual block: the shortcut is not recalibrated") {
  // With the last norm's weight and bias at 0 the branch is 0, and the block gives relu(x).
  using Block = ResidualBlock<float, recal::GeThetaMinus<float>>;
  BlockRun<float, Block> run(bottleneck<float, recal::GeThetaMinus<float>>(8, 2, 1), {2, 8, 5, 5});
  run.block.layers.back().norm.weight.value.assign(8, 0.0F);
  run.block.layers.back().norm.bias.value.assign(8, 0.0F);
  run.forward(recal::Cpu{}, BlockMode::training);
  for (recal::Index i = 0; i < run.x.size(); ++i)
    REQUIRE(run.tape.out.data()[i] == (run.x.data()[i] > 0.0F ? run.x.data()[i] : 0.0F));
}

TEST_CASE("residual block: a module that cannot be fused with the tail is a step of its own") {
  using Block = ResidualBlock<double, recal::GeThetaMinus<double>>;
  const BlockRun<double, Block> start(bottleneck<double>(8, 2, 1, recal::GeThetaMinus<double>(8, 2)), {2, 8, 4, 4});
  REQUIRE_FALSE(recal::can_fuse_tail(start.block.module));
  for (const BlockMode mode : {BlockMode::training, BlockMode::frozen}) {
    auto cpu = start;
    auto reference = start;
    cpu.forward(recal::Cpu{}, mode);
    reference.forward(recal::Reference{}, mode);
    CHECK(recal::testing::relative_error(cpu.tape.out, reference.tape.out) <= 1e-12);
    CHECK(cpu.tape.normalised.size() == cpu.tape.out.size());
    const Tensor<double> out = cpu.tape.out;
    cpu.backward(recal::Cpu{});
    reference.backward(recal::Reference{});
    const std::vector<double> found = cpu.gradients();
    const std::vector<double> expected = reference.gradients();
    for (std::size_t i = 0; i < found.size(); ++i) REQUIRE(std::abs(found[i] - expected[i]) <= 1e-9);
    if (mode == BlockMode::training) continue;
    Tensor<double> inferred;
    cpu.block.infer(recal::Cpu{}, std::as_const(cpu.x).view(), inferred, cpu.work);
    CHECK(recal::testing::relative_error(inferred, out) <= 1e-12);
  }
}

TEST_CASE("residual block: from the second step on, no tensor moves") {
  BlockRun<float, ResidualBlock<float>> run(bottleneck<float>(8, 4, 2), {2, 8, 6, 6});
  const auto step = [&run] {
    run.forward(recal::Cpu{}, BlockMode::training);
    run.backward(recal::Cpu{});
  };
  step();
  step();
  const float* out = run.tape.out.data();
  const float* convolved = run.tape.layers[1].convolved.data();
  const float* gradient = run.dx.data();
  const float* shortcut = run.work.shortcut.data();
  const std::vector<float> first = run.gradients();
  step();
  CHECK(run.tape.out.data() == out);
  CHECK(run.tape.layers[1].convolved.data() == convolved);
  CHECK(run.dx.data() == gradient);
  CHECK(run.work.shortcut.data() == shortcut);
  CHECK(run.gradients() == first);
}

TEST_CASE("residual block: parameter gradients are added") {
  BlockRun<double, ResidualBlock<double>> run(bottleneck<double>(8, 2, 1), {2, 8, 4, 4});
  run.forward(recal::Cpu{}, BlockMode::training);
  run.backward(recal::Cpu{});
  const std::vector<double> once = run.gradients();
  Tensor<double> dy = run.dy;
  run.forward(recal::Cpu{}, BlockMode::training);
  run.block.backward(recal::Cpu{}, std::as_const(run.x).view(), dy, run.dx, run.tape, run.work);
  const std::vector<double> twice = run.gradients();
  const auto parameters = static_cast<std::size_t>(run.dx.size());
  for (std::size_t i = 0; i < once.size(); ++i)
    REQUIRE(twice[i] == doctest::Approx(i < parameters ? once[i] : 2 * once[i]));
}

TEST_CASE("residual block: any chain of layers makes one, and one that does not fit is refused") {
  using recal::nn::Conv2dOptions;
  using Layer = recal::nn::ConvNorm<double>;
  const Layer up(2, 3, Conv2dOptions{.kernel = 1});
  const Layer same(3, 3, Conv2dOptions{.kernel = 3, .stride = 2, .padding = 1});
  for (const std::vector<Layer>& layers : {std::vector{up}, std::vector{up, same, same, same}})
    recal::testing::check_block_gradients(ResidualBlock<double>(layers, recal::nn::NoModule{}), {2, 2, 9, 8},
                                          BlockMode::training);
  CHECK_THROWS_WITH_AS(ResidualBlock<double>({}, recal::nn::NoModule{}), "recal: a residual block without layers",
                       recal::error);
  CHECK_THROWS_WITH_AS(ResidualBlock<double>({up, up}, recal::nn::NoModule{}),
                       "recal: layer 2 of a residual block takes 2 channels, the layer before it gives 3",
                       recal::error);
}

TEST_CASE("residual block: a gradient of another shape is refused") {
  BlockRun<float, ResidualBlock<float>> run(bottleneck<float>(8, 2, 1), {2, 8, 4, 4});
  run.forward(recal::Cpu{}, BlockMode::training);
  Tensor<float> wrong({2, 8, 4, 5}, 1.0F);
  CHECK_THROWS_WITH_AS(
      run.block.backward(recal::Cpu{}, std::as_const(run.x).view(), wrong, run.dx, run.tape, run.work),
      "recal: output gradient of a residual block has shape (N=2, C=8, H=4, W=5), expected (N=2, C=8, H=4, W=4)",
      recal::error);
}

TEST_CASE("residual block: the gradient of the input may take the place of the output") {
  for (const recal::Index stride : {1, 2}) {
    BlockRun<float, ResidualBlock<float, recal::Srm<float>>> apart(bottleneck<float, recal::Srm<float>>(8, 4, stride),
                                                                   {2, 8, 6, 6});
    auto together = apart;
    apart.forward(recal::Cpu{}, BlockMode::training);
    apart.backward(recal::Cpu{});
    together.forward(recal::Cpu{}, BlockMode::training);
    Tensor<float> dy = together.dy;
    recal::zero_gradients(together.block);
    together.block.backward(recal::Cpu{}, std::as_const(together.x).view(), dy, together.tape.out, together.tape,
                            together.work);
    together.dx = together.tape.out;
    CHECK(together.gradients() == apart.gradients());
  }
}

TEST_CASE("residual block: a tape serves one backward pass") {
  BlockRun<float, ResidualBlock<float>> run(bottleneck<float>(8, 2, 1), {2, 8, 4, 4});
  const char* message = "recal: the tape of a residual block is empty or used up; forward comes before each backward";
  CHECK_THROWS_WITH_AS(run.backward(recal::Cpu{}), message, recal::error);
  run.forward(recal::Cpu{}, BlockMode::training);
  run.backward(recal::Cpu{});
  CHECK_THROWS_WITH_AS(run.backward(recal::Cpu{}), message, recal::error);
}

}  // namespace
