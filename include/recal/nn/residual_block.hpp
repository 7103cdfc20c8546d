// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <recal/backend/backend.hpp>
#include <recal/backend/cpu/fixed_weights.hpp>
#include <recal/core/error.hpp>
#include <recal/core/tensor.hpp>
#include <recal/fused/residual_tail.hpp>
#include <recal/nn/batch_norm.hpp>
#include <recal/nn/conv_norm.hpp>
#include <recal/nn/gradient_use.hpp>
#include <recal/nn/no_module.hpp>
#include <recal/nn/relu.hpp>
#include <recal/nn/workspace.hpp>

namespace recal::nn {

/// A residual block, L layers of convolution and batch norm:
///   a = x;  a = relu(norm_i(conv_i(a))) for i < L;  out = relu(module(norm_L(conv_L(a))) + shortcut)
/// with shortcut = x, or norm(conv1x1(x)) where the shape changes. The shortcut is not recalibrated.
/// basic_block() (L = 2) and bottleneck() (L = 3) make the usual ones: one type, so that a program with several depths
/// compiles the block once. Convolutions have weights 0 until initialise() (nn/init.hpp), which networks call.
///
/// The tape owns what backward needs: every convolution's output and the block's; L + 1 tensors, and one with a
/// shortcut that is convolved. Gradients take the places of some. What stands between two convolutions is never in
/// memory: the second applies norm and ReLU to what it reads (backend/conv_start.hpp), forward and backward. Batch
/// norm, module, ReLU and add are one pass (fused/residual_tail.hpp); a module that cannot be fused is a pass of its
/// own and takes one more tensor.
/// source: He et al. 2016; the place of the module as in Hu et al. 2018 and Lee et al. 2019
template <class T, class Module = NoModule>
class ResidualBlock {
 public:
  struct Tape {
    std::vector<typename ConvNorm<T>::Tape> layers;
    typename ConvNorm<T>::Tape downsample;
    typename Module::Tape module;
    ResidualTailTape tail;
    Tensor<T> normalised;  ///< the module's input, where it cannot be fused with the tail
    Tensor<T> out;
    bool filled = false;  ///< by a forward pass, and not yet used up
  };

  std::vector<ConvNorm<T>> layers;
  Module module;
  std::optional<ConvNorm<T>> downsample;

  /// errors: no layers; a layer that does not take what the one before it gives
  ResidualBlock(std::vector<ConvNorm<T>> own_layers, Module own_module)
      : layers(std::move(own_layers)), module(std::move(own_module)) {
    check(!layers.empty(), "a residual block without layers");
    const Index in = layers.front().conv.in_channels();
    Index out = in;
    Index stride = 1;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto& [conv, norm] = layers[i];
      check(conv.in_channels() == out, "layer ", i + 1, " of a residual block takes ", conv.in_channels(),
            " channels, the layer before it gives ", out);
      stride *= conv.options().stride;
      out = norm.channels();
    }
    if (stride != 1 || in != out) downsample.emplace(in, out, Conv2dOptions{.kernel = 1, .stride = stride});
  }

  /// The shape of the block's output.
  [[nodiscard]] Shape output_shape(const Shape& x) const {
    Shape shape = x;
    for (const ConvNorm<T>& layer : layers) shape = layer.conv.output_shape(shape);
    return shape;
  }

  /// y is resized and assigned. Weights may be fixed, see Conv2d. requires: y is none of the workspace's tensors and
  /// not x
  template <Backend B>
  void infer(const B& backend, TensorView<const T> x, Tensor<T>& y, Workspace<T>& work,
             cpu::FixedWeights<T>* fixed = nullptr) const {
    TensorView<const T> input = x;
    for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
      work.next.resize(layers[i].conv.output_shape(input.shape));
      layers[i].infer(backend, input, work.next.view(), {.relu = true}, work, fixed);
      std::swap(work.current, work.next);
      input = std::as_const(work.current).view();
    }
    y.resize(layers.back().conv.output_shape(input.shape));
    TensorView<const T> shortcut = x;
    if (downsample) {
      work.shortcut.resize(y.shape());
      downsample->infer(backend, x, work.shortcut.view(), {}, work, fixed);
      shortcut = std::as_const(work.shortcut).view();
    }
    layers.back().infer(backend, input, y.view(),
                        has_module<Module> ? ConvFinish<T>{} : ConvFinish<T>{.shortcut = shortcut, .relu = true}, work,
                        fixed);
    if constexpr (has_module<Module>) infer_module(backend, shortcut, y);
  }

  /// Training mode; the output is tape.out. x must stay as it is until backward.
  template <Backend B>
  void forward(const B& backend, TensorView<const T> x, Tape& tape, Workspace<T>& work) {
    run<true>(backend, x, tape, work);
  }

  /// With running statistics, but differentiable; changes no state.
  template <Backend B>
  void forward_frozen(const B& backend, TensorView<const T> x, Tape& tape, Workspace<T>& work) {
    run<false>(backend, x, tape, work);
  }

  /// dx is resized and assigned; parameter gradients are added, and used. dy is overwritten and the tape used up:
  /// gradients lie in tensors of it that nothing reads any more.
  /// requires: x and tape as forward left them; dx may be tape.out, but neither dy nor one of the workspace's tensors
  /// errors: a tape that is empty or used up
  template <Backend B, GradientUse Use = KeepGradients>
  void backward(const B& backend, TensorView<const T> x, Tensor<T>& dy, Tensor<T>& dx, Tape& tape, Workspace<T>& work,
                Use&& use = {}) {
    check(tape.filled, "the tape of a residual block is empty or used up; forward comes before each backward");
    check_shape("output gradient of a residual block", dy.shape(), tape.out.shape());
    tape.filled = false;
    Tensor<T>& last = tape.layers.back().convolved;
    Tensor<T>* gradient = layers.size() > 1 ? &tape.out : &work.next;
    use([&] { pull_tail(backend, dy, *gradient, tape); }, layers.back().norm, module);
    for (std::size_t i = layers.size() - 1; i > 0; --i) {
      auto& conv = layers[i].conv;
      auto& norm = layers[i - 1].norm;
      const Tensor<T>& before = tape.layers[i - 1].convolved;
      const auto& norm_tape = tape.layers[i - 1].norm;
      Tensor<T>& next = gradient == &work.next ? last : work.next;
      next.resize(before.shape());
      use([&] { conv.backward(backend, before, *gradient, next, norm.relu_start(norm_tape)); }, conv);
      use([&] { norm.backward_relu(backend, before, next, next, norm_tape); }, norm);
      gradient = &next;
    }
    dx.resize(x.shape);
    const ConvFinish<T> add_shortcut = {.shortcut = std::as_const(dy).view()};
    auto& conv = layers[0].conv;
    use([&] { conv.backward(backend, x, *gradient, dx, {}, downsample ? ConvFinish<T>{} : add_shortcut); }, conv);
    if (!downsample) return;
    auto& side = downsample->conv;
    auto& norm = downsample->norm;
    const auto& taped = tape.downsample;
    use([&] { norm.backward(backend, taped.convolved, dy, dy, taped.norm); }, norm);
    use([&] { side.backward_adding(backend, x, dy, dx, last); }, side);
  }

  /// Names: conv1, bn1, ..., the module's checkpoint name, downsample.
  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    for (std::size_t i = 0; i < self.layers.size(); ++i) {
      const std::string number = std::to_string(i + 1);
      v("conv" + number, self.layers[i].conv);
      v("bn" + number, self.layers[i].norm);
    }
    if constexpr (has_module<Module>) v(Module::checkpoint_name, self.module);
    if (self.downsample) v("downsample", *self.downsample);
  }

 private:
  /// y = relu(module(y) + shortcut)
  template <class B>
  void infer_module(const B& backend, const TensorView<const T>& shortcut, Tensor<T>& y) const {
    if constexpr (TailModule<Module>)
      if (can_fuse_tail(module)) return infer_tail(backend, module, std::as_const(y).view(), shortcut, y.view());
    module.infer(backend, y, y);
    add_relu(backend, y, shortcut, y);
  }

  template <bool training, class B>
  void run(const B& backend, TensorView<const T> x, Tape& tape, Workspace<T>& work) {
    tape.layers.resize(layers.size());
    TensorView<const T> input = x;
    ConvStart<T> start;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      auto& [conv, norm] = layers[i];
      auto& own = tape.layers[i];
      own.convolved.resize(conv.output_shape(input.shape));
      conv.forward(backend, input, own.convolved, conv.add_bias(), start);
      if (i + 1 == layers.size()) break;
      if constexpr (training)
        norm.forward_statistics(backend, own.convolved, own.norm);
      else
        norm.forward_frozen_statistics(own.norm);
      start = norm.relu_start(own.norm);
      input = std::as_const(own.convolved).view();
    }
    TensorView<const T> shortcut = x;
    tape.out.resize(tape.layers.back().convolved.shape());
    if (downsample) {
      tape.downsample.convolved.resize(tape.out.shape());
      downsample->conv.forward(backend, x, tape.downsample.convolved);
      Tensor<T>& normalised = tail_is_one_pass() ? tape.out : work.next;  // such a tail writes where it has read
      normalised.resize(tape.out.shape());
      normalise<training>(backend, *downsample, tape.downsample, normalised);
      shortcut = std::as_const(normalised).view();
    }
    run_tail<training>(backend, shortcut, tape);
    tape.filled = true;
  }

  template <bool training, class B>
  static void normalise(const B& backend, ConvNorm<T>& layer, typename ConvNorm<T>::Tape& tape, Tensor<T>& y) {
    if constexpr (training)
      layer.norm.forward(backend, tape.convolved, y, tape.norm);
    else
      layer.norm.forward_frozen(backend, tape.convolved, y, tape.norm);
  }

  /// Whether nothing but the last pass of all writes the block's output.
  [[nodiscard]] bool tail_is_one_pass() const {
    if constexpr (TailModule<Module>)
      return can_fuse_tail(module);
    else
      return !has_module<Module>;
  }

  [[nodiscard]] auto fused_tail(Tape& tape) {
    return ResidualTail(layers.back().norm, module, tape.layers.back().norm, tape.module, tape.tail);
  }

  template <bool training, class B>
  void run_tail(const B& backend, TensorView<const T> shortcut, Tape& tape) {
    auto& last = tape.layers.back();
    if constexpr (TailModule<Module>) {
      if (can_fuse_tail(module)) {
        fused_tail(tape).forward(backend, std::as_const(last.convolved).view(), shortcut, tape.out.view(),
                                 training ? Mode::train : Mode::frozen);
        return;
      }
    }
    if constexpr (has_module<Module>) {
      tape.normalised.resize(tape.out.shape());
      normalise<training>(backend, layers.back(), last, tape.normalised);
      if constexpr (training)
        module.forward(backend, tape.normalised, tape.out, tape.module);
      else
        module.forward_frozen(backend, tape.normalised, tape.out, tape.module);
      add_relu(backend, tape.out, shortcut, tape.out);
    } else if constexpr (training) {
      layers.back().norm.forward_add_relu(backend, last.convolved, shortcut, tape.out, last.norm);
    } else {
      layers.back().norm.forward_frozen_add_relu(backend, last.convolved, shortcut, tape.out, last.norm);
    }
  }

  /// From dy to the gradient of the last convolution's output, which may take the place of tape.out; dy becomes the
  /// shortcut's gradient.
  template <class B>
  void pull_tail(const B& backend, Tensor<T>& dy, Tensor<T>& gradient, Tape& tape) {
    auto& norm = layers.back().norm;
    const Tensor<T>& convolved = tape.layers.back().convolved;
    const auto& norm_tape = tape.layers.back().norm;
    gradient.resize(convolved.shape());
    if constexpr (TailModule<Module>) {
      if (can_fuse_tail(module)) {
        fused_tail(tape).backward(backend, convolved.view(), std::as_const(tape.out).view(), std::as_const(dy).view(),
                                  dy.view(), gradient.view());
        return;
      }
    }
    if constexpr (has_module<Module>) {
      relu_backward(backend, tape.out, dy, dy);
      module.backward(backend, tape.normalised, dy, gradient, tape.module);
      norm.backward(backend, convolved, gradient, gradient, norm_tape);
    } else {
      norm.backward_add_relu(backend, convolved, tape.out, dy, dy, gradient, norm_tape);
    }
  }
};

/// Makes Module(channels), whatever the map's size: what networks make their modules with by default.
template <class Module>
struct MakeByChannels {
  [[nodiscard]] Module operator()(Index channels, Index /*height*/, Index /*width*/) const { return Module(channels); }
};

}  // namespace recal::nn
