// SPDX-License-Identifier: Apache-2.0
// Stages of ResNet-50 at 224 pixels and batch 8, forward and backward in training: what a roofline of the step is made
// of. "FLOPS" are those of the convolutions, "bytes" what must come from and go to memory where caches hold one block's
// planes and nothing else (docs/design.md, "Bytes per element").

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <recal/backend/cpu/backend.hpp>
#include <recal/nn/bottleneck.hpp>
#include <recal/nn/init.hpp>

#include "harness.hpp"
#include "workloads.hpp"

namespace {

using bench::Index;
using bench::Shape;
using bench::Tensor;
using Block = recal::nn::ResidualBlock<float>;

/// A stage: its input, its width, its blocks, the stride of the first.
struct Stage {
  const char* name;
  Shape in;
  Index width;
  Index blocks;
  Index stride;
};

constexpr Index batch = 8;
constexpr std::array stages{
    Stage{"1", {.n = batch, .c = 64, .h = 56, .w = 56}, 64, 3, 1},
    Stage{"2", {.n = batch, .c = 256, .h = 56, .w = 56}, 128, 4, 2},
    Stage{"3", {.n = batch, .c = 512, .h = 28, .w = 28}, 256, 6, 2},
    Stage{"4", {.n = batch, .c = 1024, .h = 14, .w = 14}, 512, 3, 2},
};

/// Multiply-adds and elements of one pass; per element 4 bytes, per multiply-add 2 operations.
struct Work {
  double products = 0;
  double elements = 0;
};

double size(const Shape& shape) { return static_cast<double>(shape.size()); }

/// One pass of a convolution: a product in forward, two in backward.
Work convolution(const recal::nn::Conv2d<float>& conv, const Shape& x, bool backward) {
  const Shape y = conv.output_shape(x);
  const double products = size(y) * static_cast<double>(conv.weight.size() / conv.out_channels());
  const double weights = static_cast<double>(conv.weight.size());
  if (!backward) return {products, size(x) + size(y) + weights};
  return {2 * products, 2 * size(x) + 2 * size(y) + 3 * weights};
}

Work work_of(const Block& block, const Shape& x, bool backward) {
  Work work;
  const auto add = [&work](const Work& more) {
    work.products += more.products;
    work.elements += more.elements;
  };
  Shape shape = x;
  for (std::size_t i = 0; i < block.layers.size(); ++i) {
    add(convolution(block.layers[i].conv, shape, backward));
    shape = block.layers[i].conv.output_shape(shape);
    const bool tail = i + 1 == block.layers.size();
    work.elements += size(shape) * (backward ? (tail ? 5 : 3) : (tail ? 3 : 1));
  }
  if (block.downsample) {
    add(convolution(block.downsample->conv, x, backward));
    work.elements += size(shape) * (backward ? 3 : 2);
  }
  if (backward) work.elements += size(x);  // the other branch's gradient, where it is added
  return work;
}

/// The blocks of a stage with all that they need.
class Run {
 public:
  explicit Run(const Stage& stage) : x_(bench::noise(stage.in)) {
    Index in = stage.in.c;
    for (Index i = 0; i < stage.blocks; ++i) {
      blocks_.push_back(recal::nn::bottleneck<float>(in, stage.width, i == 0 ? stage.stride : 1));
      recal::nn::initialise(blocks_.back(), static_cast<std::uint64_t>(i));
      in = blocks_.back().layers.back().norm.channels();
    }
    tapes_.resize(blocks_.size());
    forward();
    dout_ = bench::noise(tapes_.back().out.shape(), 1);
  }

  void forward() {
    for (std::size_t i = 0; i < blocks_.size(); ++i) blocks_[i].forward(recal::Cpu{}, input(i), tapes_[i], work_);
  }

  /// After forward(). dout_ is written over, which changes numbers and no times.
  void backward() {
    Tensor* dy = &dout_;
    for (std::size_t i = blocks_.size(); i-- > 0;) {
      Tensor& dx = i == 0 ? dx_ : tapes_[i].out;
      blocks_[i].backward(recal::Cpu{}, input(i), *dy, dx, tapes_[i], work_);
      dy = &dx;
    }
  }

  [[nodiscard]] Work work(bool backward) const {
    Work all;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const Work one = work_of(blocks_[i], input(i).shape, backward);
      all.products += one.products;
      all.elements += one.elements;
    }
    return all;
  }

 private:
  [[nodiscard]] recal::TensorView<const float> input(std::size_t block) const {
    return block == 0 ? x_.view() : tapes_[block - 1].out.view();
  }

  Tensor x_, dout_, dx_;
  std::vector<Block> blocks_;
  std::vector<Block::Tape> tapes_;
  recal::nn::Workspace<float> work_;
};

void add_stage(const Stage& stage, bool backward) {
  bench::add(std::string("stage/") + (backward ? "backward/" : "forward/") + stage.name,
             [&stage, backward](benchmark::State& state) {
               Run run(stage);
               const Work work = run.work(backward);
               if (backward)
                 bench::repeat(
                     state, [&] { run.backward(); }, [&] { run.forward(); });
               else
                 bench::repeat(state, [&] { run.forward(); });
               bench::count_flops(state, 2 * work.products);
               state.counters["bytes"] = 4 * work.elements;
             });
}

const bench::Registration all([] {
  for (const Stage& stage : stages)
    for (const bool backward : {false, true}) add_stage(stage, backward);
});

}  // namespace
