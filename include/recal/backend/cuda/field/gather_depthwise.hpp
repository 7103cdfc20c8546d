// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <recal/backend/cuda/field/depthwise.hpp>
#include <recal/backend/cuda/field/field_pool.hpp>
#include <recal/core/visit.hpp>
#include <recal/pool/gather_depthwise.hpp>

namespace recal::cuda {

/// GE's gather with parameters: recal::GatherDepthwise, the same options, names and shapes. Weights start at 0;
/// copy_parameters_to_device() brings others.
/// cost: forward two launches a level (convolution; batch norm with ReLU, a channel to a block), backward two on the
///       first level and three on the others. x is read once forward and once backward, each pixel by up to four
///       outputs, from cache but for the first; sums are in double
class GatherDepthwise {
 public:
  struct Tape {
    std::vector<DeviceBuffer<double>> out;   // per level but the last (C, N, h, w): what the next one sees
    std::vector<DeviceBuffer<double>> grad;  // per level: dL/d(convolution's output)
    std::vector<ChannelNorm::Tape> norm;
  };

  struct View {
    Depthwise conv;
    const double* grad;
    const float* weight;

    template <class Context>
    [[nodiscard]] RECAL_HOST_DEVICE float gradient(const Context& ctx, Index n, Index c, Index i, Index j) const {
      return static_cast<float>(
          conv.gradient(ctx, grad + (c * conv.out.n + n) * conv.out.plane(), weight + c * conv.taps(), i, j));
    }
  };

  /// errors: an extent that is neither 0 nor a power of two; extent 0 without a map size
  template <Machine M>
  GatherDepthwise(const M& machine, Index channels, const GatherOptions& options) : options_(options) {
    check_extent(options.extent);
    check(!whole() || (options.height >= 1 && options.width >= 1),
          "GE: a global gather with parameters is made for one map size; give height and width, found ", options.height,
          " and ", options.width);
    const Index h = whole() ? options.height : 3;
    const Index w = whole() ? options.width : 3;
    Index count = whole() ? 1 : 0;
    for (Index e = options.extent; e > 1; e /= 2) ++count;
    for (Index l = 0; l < count; ++l) levels_.emplace_back(machine, channels, h, w, options.bias);
  }

  [[nodiscard]] Shape field(const Shape& x) const {
    check(!whole() || (x.h == options_.height && x.w == options_.width), "GE: the gather is made for maps of ",
          options_.height, " by ", options_.width, ", the input has shape ", x);
    return {x.n, x.c, field_size(x.h, options_.extent), field_size(x.w, options_.extent)};
  }

  /// errors: one value per channel in training
  void check_training(const Shape& x) const {
    const auto all = convolutions(x);
    for (std::size_t l = 0; l < levels_.size(); ++l) levels_[l].bn.check(x.c, rows(all[l]), true);
  }

  template <Machine M>
  void begin(const M& machine, const Shape& x, Tape& tape) const {
    const auto all = convolutions(x);
    tape.out.resize(levels_.size() - 1);
    tape.grad.resize(levels_.size());
    tape.norm.resize(levels_.size());
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      if (l + 1 < levels_.size()) tape.out[l].resize(machine, all[l].out.size());
      tape.grad[l].resize(machine, all[l].out.size());
      levels_[l].bn.begin(machine, x.c, rows(all[l]), tape.norm[l]);
    }
  }

  template <Machine M, class T>
  void forward(const M& machine, const TensorView<const T>& x, double* t, Pass pass, Tape& tape) const {
    const auto all = convolutions(x.shape);
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      const bool last = l + 1 == levels_.size();
      double* out = last ? t : tape.out[l].data();
      if (l == 0)
        convolve(machine, levels_[l], all[l], x, out);
      else
        convolve(machine, levels_[l], all[l], below(tape, all, l), out);
      launch_norm(machine, all[l], FieldNormKernel{levels_[l].bn.view(pass, tape.norm[l]), rows(all[l]), out, !last});
    }
  }

  template <Machine M, class T>
  void backward(const M& machine, const TensorView<const T>& x, const double* dt, Pass pass, Tape& tape) const {
    const auto all = convolutions(x.shape);
    for (std::size_t l = levels_.size(); l-- > 0;) {
      double* grad = tape.grad[l].data();
      const double* from = dt;
      if (l + 1 < levels_.size()) {
        machine.launch({PositionSplit{}.blocks(all[l + 1].in), plane_threads},
                       DepthwiseGradientKernel{all[l + 1], tape.grad[l + 1].data(), levels_[l + 1].weight.value.data(),
                                               tape.out[l].data(), grad});
        from = grad;
      }
      launch_norm(machine, all[l],
                  FieldNormGradientKernel{levels_[l].bn.view(pass, tape.norm[l]), rows(all[l]), from, grad});
      if (l == 0)
        add_filter_gradient(machine, levels_[l], all[l], x, grad);
      else
        add_filter_gradient(machine, levels_[l], all[l], below(tape, all, l), grad);
    }
  }

  [[nodiscard]] View view(const Shape& x, const Tape& tape) const {
    return {convolution(x), tape.grad[0].data(), levels_[0].weight.value.data()};
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    for (std::size_t l = 0; l < self.levels_.size(); ++l) v("gather." + std::to_string(l), self.levels_[l]);
  }

 private:
  struct Level {
    DeviceParameter weight;
    DeviceParameter bias;
    ChannelNorm bn;

    template <Machine M>
    Level(const M& machine, Index channels, Index h, Index w, bool biased)
        : weight(machine, {"weight", {channels, 1, h, w}}), bn(machine, channels) {
      if (biased) bias = {machine, {"bias", {channels}, 0.0F, false}};
    }

    template <class Self, class V>
    static void visit(Self& self, V&& v) {
      v(self.weight);
      if (self.bias.size() > 0) v(self.bias);
      v("bn", self.bn);
    }
  };

  [[nodiscard]] bool whole() const { return options_.extent == 0; }
  [[nodiscard]] Depthwise convolution(const Shape& x) const {
    return whole() ? Depthwise::of_map(x) : Depthwise::halving(x);
  }
  [[nodiscard]] std::vector<Depthwise> convolutions(const Shape& x) const {
    std::vector<Depthwise> all{convolution(x)};
    while (all.size() < levels_.size()) all.push_back(convolution(all.back().out));
    return all;
  }
  [[nodiscard]] static Index rows(const Depthwise& conv) { return conv.out.n * conv.out.plane(); }

  [[nodiscard]] static TensorView<const double> below(const Tape& tape, const std::vector<Depthwise>& all,
                                                      std::size_t l) {
    return field_view(tape.out[l - 1].data(), all[l].in);
  }

  template <class M, class T>
  static void convolve(const M& machine, const Level& level, const Depthwise& conv, const TensorView<const T>& x,
                       double* y) {
    const PositionSplit split = split_positions(conv.out, conv.kernel_h(), conv.kernel_w());
    machine.launch(
        {split.blocks(conv.out), plane_threads},
        DepthwiseKernel<T>{split, conv, x, view_of_parameter(level.weight), view_of_parameter(level.bias), y});
  }

  /// A warp where a channel has few positions.
  template <class M, class Kernel>
  static void launch_norm(const M& machine, const Depthwise& conv, const Kernel& kernel) {
    machine.launch({conv.out.c, kernel.rows <= warp_lanes ? warp_lanes : plane_threads, BlockLanes<int>::shared_bytes},
                   kernel);
  }

  template <class M, class T>
  static void add_filter_gradient(const M& machine, const Level& level, const Depthwise& conv,
                                  const TensorView<const T>& x, const double* dy) {
    const auto weight = view_of_parameter(level.weight);
    const auto bias = view_of_parameter(level.bias);
    if (conv.whole)
      machine.launch({(conv.in.c * conv.taps() + plane_threads - 1) / plane_threads, plane_threads},
                     MapFilterGradientKernel<T>{conv, x, dy, weight, bias});
    else
      machine.launch({conv.out.c, rows(conv) <= warp_lanes ? warp_lanes : plane_threads, BlockLanes<int>::shared_bytes},
                     HalvingFilterGradientKernel<T>{conv, x, dy, weight, bias});
  }

  GatherOptions options_;
  std::vector<Level> levels_;
};

}  // namespace recal::cuda
