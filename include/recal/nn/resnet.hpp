// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <recal/backend/backend.hpp>
#include <recal/backend/cpu/fixed_weights.hpp>
#include <recal/core/error.hpp>
#include <recal/core/tensor.hpp>
#include <recal/nn/basic_block.hpp>
#include <recal/nn/batch_norm.hpp>
#include <recal/nn/bottleneck.hpp>
#include <recal/nn/conv2d.hpp>
#include <recal/nn/conv_norm.hpp>
#include <recal/nn/gradient_use.hpp>
#include <recal/nn/init.hpp>
#include <recal/nn/linear.hpp>
#include <recal/nn/pool2d.hpp>
#include <recal/nn/residual_block.hpp>
#include <recal/nn/resnet_layout.hpp>
#include <recal/nn/workspace.hpp>

namespace recal::nn {

struct ResNetOptions {
  ResNetLayout layout = resnet50;
  Index classes = 1000;
  Stem stem = Stem::large;
  Index channels = 3;
  /// The size of the images, for modules whose parameters depend on it (GE with global extent).
  Index height = 224;
  Index width = 224;
  /// Of the initial parameters.
  std::uint64_t seed = 0;
  /// Whether every block begins as its shortcut alone: the last norm's weight is 0 instead of 1. Steadies the first
  /// epochs with small batches (Goyal et al. 2017, section 5.1); torchvision's default is without.
  bool zero_init_residual = false;
};

/// A residual network: stem, four stages of blocks with 64, 128, 256, 512 units of width, global average, linear.
/// Parameters begin as torchvision's do: convolutions normal with variance 2 / fan-out, norms 1 and 0, the linear
/// layer uniform in +-1/sqrt(fan-in). Names are torchvision's; a module's are layerI.J.<checkpoint name>.
///
///   ResNet<float, Srm<float>> net({.layout = resnet50, .classes = 10});
///   decltype(net)::Tape tape;
///   const auto logits = net.forward(backend, x, tape);    (N, classes, 1, 1), lives in the tape
///   net.backward(backend, x, dlogits, tape);              parameter gradients are added
///   net.backward(backend, x, dlogits, tape, sgd.in_backward(net, rate));    or added, used for a step, and forgotten
///
/// The tape owns every tensor of a step and is reused: from the second step of a shape on, nothing of the tensors'
/// size is allocated. Source: He et al. 2016; the stride sits in the 3x3 convolution.
template <class T, class OwnModule = NoModule>
class ResNet {
 public:
  using Scalar = T;
  using Module = OwnModule;
  using Block = ResidualBlock<T, Module>;

  struct Tape {
    typename ConvNorm<T>::Tape stem;
    Tensor<T> input;  ///< of the first block
    typename MaxPool2d::Tape pool;
    std::vector<typename Block::Tape> blocks;
    Tensor<T> features;
    Tensor<T> logits;
    Tensor<T> feature_gradient;
    std::array<Tensor<T>, 2> maps;  ///< a block's input and output at inference, by turns
    Tensor<T> gradient;             ///< of a map, where no tensor of a tape has room for it
    Workspace<T> work;
  };

  Conv2d<T> conv1;
  BatchNorm2d<T> bn1;
  std::array<std::vector<Block>, 4> stages;
  Linear<T> fc;

  /// `make(channels, height, width)` makes the module of a block from the shape of the block's output.
  template <class Make = MakeByChannels<Module>>
    requires std::is_invocable_r_v<Module, Make&, Index, Index, Index>
  explicit ResNet(const ResNetOptions& options = {}, Make make = {})
      : conv1(options.channels, 64, stem_options(options.stem), Uninitialised{}),
        bn1(64),
        fc(512 * expansion(options.layout.block), options.classes),
        stem_(options.stem) {
    Shape shape = stem_shape({1, options.channels, options.height, options.width});
    Index width = 64;
    for (std::size_t s = 0; s < stages.size(); ++s, width *= 2) {
      const Index depth = options.layout.depths[s];
      check(depth >= 1, "stage ", s + 1, " of a ResNet has ", depth, " blocks, expected at least 1");
      for (Index i = 0; i < depth; ++i) {
        const Index stride = s > 0 && i == 0 ? 2 : 1;
        const Index in = shape.c;
        shape = {1, width * expansion(options.layout.block), (shape.h - 1) / stride + 1, (shape.w - 1) / stride + 1};
        stages[s].push_back(make_block(options.layout.block, in, width, stride, make(shape.c, shape.h, shape.w)));
      }
    }
    nn::initialise(*this, options.seed);
    if (options.zero_init_residual)
      for (auto& stage : stages)
        for (Block& block : stage) {
          auto& scale = block.layers.back().norm.weight.value;
          scale.assign(scale.size(), T{0});
        }
  }

  /// Running statistics; uses the tape's scratch tensors only. The logits (N, classes, 1, 1) live in the tape until its
  /// next use. The weights of convolutions may be `fixed`: packed once, and taken so until fixed->clear().
  template <Backend B, class X>
  TensorView<const T> infer(const B& backend, const X& images, Tape& tape,
                            cpu::FixedWeights<T>* fixed = nullptr) const {
    const TensorView<const T> x = view_of(images);
    check_images(x.shape);
    auto& [from, to] = tape.maps;
    Tensor<T>& convolved = stem_ == Stem::large ? tape.work.next : from;
    convolved.resize(conv1.output_shape(x.shape));
    infer_conv_norm(backend, conv1, bn1, x, convolved.view(), {.relu = true}, tape.work, fixed);
    if (stem_ == Stem::large) {
      from.resize(stem_shape(x.shape));
      nn::max_pool2d(backend, convolved, from, stem_pool);
    }
    for (const auto& stage : stages)
      for (const Block& block : stage) {
        block.infer(backend, std::as_const(from).view(), to, tape.work, fixed);
        std::swap(from, to);
      }
    return classify(backend, from, tape);
  }

  /// Training mode: batch statistics, tape filled. x must stay as it is until backward.
  template <Backend B, class X>
  TensorView<const T> forward(const B& backend, const X& images, Tape& tape) {
    return run<true>(backend, view_of(images), tape);
  }

  /// With running statistics, but differentiable; changes no state.
  template <Backend B, class X>
  TensorView<const T> forward_frozen(const B& backend, const X& images, Tape& tape) {
    return run<false>(backend, view_of(images), tape);
  }

  /// Adds the parameters' gradients, and uses them; uses the tape up. requires: images and tape as forward left them
  template <Backend B, class X, class D, GradientUse Use = KeepGradients>
  void backward(const B& backend, const X& images, const D& dlogits, Tape& tape, Use&& use = {}) {
    const TensorView<const T> x = view_of(images);
    const Tensor<T>& gradient = pull(backend, x, view_of(dlogits), tape, use);
    use([&] { conv1.backward_parameters(backend, x, gradient); }, conv1);
  }

  /// The same, and the gradient of the images (assigned).
  template <Backend B, class X, class D, class DX>
  void backward(const B& backend, const X& images, const D& dlogits, Tape& tape, DX&& dimages) {
    const TensorView<const T> x = view_of(images);
    check_shape("gradient of the images", view_of(dimages).shape, x.shape);
    const Tensor<T>& gradient = pull(backend, x, view_of(dlogits), tape, KeepGradients{});
    conv1.backward(backend, x, gradient, dimages);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v("conv1", self.conv1);
    v("bn1", self.bn1);
    for (std::size_t s = 0; s < self.stages.size(); ++s)
      for (std::size_t i = 0; i < self.stages[s].size(); ++i)
        v("layer" + std::to_string(s + 1) + '.' + std::to_string(i), self.stages[s][i]);
    v("fc", self.fc);
  }

 private:
  [[nodiscard]] static Block make_block(BlockKind kind, Index in, Index width, Index stride, Module module) {
    return kind == BlockKind::basic ? basic_block<T>(in, width, stride, std::move(module))
                                    : bottleneck<T>(in, width, stride, std::move(module));
  }

  static constexpr Window stem_pool{.kernel = 3, .stride = 2, .padding = 1};

  [[nodiscard]] static Conv2dOptions stem_options(Stem stem) {
    return stem == Stem::large ? Conv2dOptions{.kernel = 7, .stride = 2, .padding = 3}
                               : Conv2dOptions{.kernel = 3, .stride = 1, .padding = 1};
  }

  [[nodiscard]] Shape stem_shape(const Shape& x) const {
    const Shape shape = conv1.output_shape(x);
    return stem_ == Stem::large ? slide("the stem's pooling", stem_pool, shape, shape.c) : shape;
  }

  void check_images(const Shape& x) const {
    check(x.c == conv1.in_channels(), "the network takes images of ", conv1.in_channels(), " channels, found ", x);
  }

  template <bool training, class B>
  TensorView<const T> run(const B& backend, TensorView<const T> x, Tape& tape) {
    check_images(x.shape);
    tape.stem.convolved.resize(conv1.output_shape(x.shape));
    tape.input.resize(stem_shape(x.shape));
    conv1.forward(backend, x, tape.stem.convolved);
    if (stem_ == Stem::large) {
      if constexpr (training)
        bn1.forward_statistics(backend, tape.stem.convolved, tape.stem.norm);
      else
        bn1.forward_frozen_statistics(tape.stem.norm);
      nn::max_pool2d(backend, tape.stem.convolved, tape.input, stem_pool, tape.pool, bn1.relu_start(tape.stem.norm));
    } else if constexpr (training) {
      bn1.forward(backend, tape.stem.convolved, tape.input, tape.stem.norm, Activation::relu);
    } else {
      bn1.forward_frozen(backend, tape.stem.convolved, tape.input, tape.stem.norm, Activation::relu);
    }
    tape.blocks.resize(block_count());
    const Tensor<T>* input = &tape.input;
    std::size_t next = 0;
    for (auto& stage : stages)
      for (Block& block : stage) {
        typename Block::Tape& own = tape.blocks[next++];
        if constexpr (training)
          block.forward(backend, input->view(), own, tape.work);
        else
          block.forward_frozen(backend, input->view(), own, tape.work);
        input = &own.out;
      }
    return classify(backend, *input, tape);
  }

  /// Adds all gradients but conv1's; returns that of conv1's output, which lives in the tape. The gradient of a block's
  /// input lies where its output was, or in a tensor of its own where that is smaller.
  template <class B, class Use>
  [[nodiscard]] const Tensor<T>& pull(const B& backend, TensorView<const T> x, TensorView<const T> dlogits, Tape& tape,
                                      Use&& use) {
    check(tape.blocks.size() == block_count(), "the tape holds ", tape.blocks.size(), " blocks, the network has ",
          block_count(), "; forward comes before backward");
    check(tape.blocks.back().filled, "the tape of the network is used up; forward comes before each backward");
    check_shape("the images", x.shape, {tape.logits.shape().n, conv1.in_channels(), x.shape.h, x.shape.w});
    check_shape("gradient of the logits", dlogits.shape, tape.logits.shape());
    tape.feature_gradient.resize(tape.features.shape());
    use([&] { fc.backward(backend, tape.features, dlogits, tape.feature_gradient); }, fc);
    Tensor<T>* dy = &tape.gradient;
    dy->resize(tape.blocks.back().out.shape());
    nn::global_avg_pool_backward(backend, tape.feature_gradient, *dy);
    std::size_t next = tape.blocks.size();
    for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage)
      for (auto block = stage->rbegin(); block != stage->rend(); ++block) {
        auto& own = tape.blocks[--next];
        const Tensor<T>& input = next == 0 ? tape.input : tape.blocks[next - 1].out;
        const bool room = input.size() <= own.out.size();
        Tensor<T>* dx = room || dy == &tape.gradient ? &own.out : &tape.gradient;
        block->backward(backend, input.view(), *dy, *dx, own, tape.work, use);
        dy = dx;
      }
    if (stem_ == Stem::large) {
      Tensor<T>& dx = dy == &tape.gradient ? tape.blocks.front().out : tape.gradient;
      dx.resize(tape.stem.convolved.shape());
      nn::max_pool2d_backward(backend, *dy, dx, stem_pool, tape.pool);
      dy = &dx;
    }
    use([&] { bn1.backward_relu(backend, tape.stem.convolved, *dy, *dy, tape.stem.norm); }, bn1);
    return *dy;
  }

  template <class B>
  TensorView<const T> classify(const B& backend, const Tensor<T>& maps, Tape& tape) const {
    tape.features.resize({maps.shape().n, maps.shape().c, 1, 1});
    nn::global_avg_pool(backend, maps, tape.features);
    tape.logits.resize({maps.shape().n, fc.out_features(), 1, 1});
    fc.forward(backend, tape.features, tape.logits);
    return std::as_const(tape.logits).view();
  }

  [[nodiscard]] std::size_t block_count() const {
    std::size_t count = 0;
    for (const auto& stage : stages) count += stage.size();
    return count;
  }

  Stem stem_;
};

}  // namespace recal::nn
