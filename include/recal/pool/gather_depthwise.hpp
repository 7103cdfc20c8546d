// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <recal/core/parameter.hpp>
#include <recal/core/random.hpp>
#include <recal/integrate/channel_norm.hpp>
#include <recal/pool/depthwise.hpp>
#include <recal/pool/field_pool.hpp>

namespace recal {

/// What GE's gather with parameters is made of.
struct GatherOptions {
  Index extent = 0;  ///< 0: one filter of the map's own size; else a power of two from 2 on
  Index height = 0;  ///< the map's height and width: needed for extent 0, unused else
  Index width = 0;
  bool bias = false;       ///< a bias before the batch norm, which cancels it; for the SRM authors' checkpoints
  std::uint64_t seed = 0;  ///< of the starting weights
};

/// GE's gather with parameters: depthwise convolutions, each with a batch norm.
///   e = 2^L: L convolutions 3x3 at stride 2 (border 1), ReLU between;  t is ceil(H/e) by ceil(W/e)
///   e = 0:   one convolution of the map's own size;  t is 1 by 1
/// Parameters: gather.<l>.weight (C, 1, k, k), gather.<l>.bn.weight, gather.<l>.bn.bias (C).
/// cost: reads each plane once forward and twice backward; everything after is a quarter of it or less
/// source: Hu et al., "Gather-Excite", NeurIPS 2018, section 3.2
template <class T>
class GatherDepthwise {
 public:
  struct Tape {
    std::vector<Buffer<double>> out;   // per level (C, N, h, w): what the next level, or the gate, sees
    std::vector<Buffer<double>> grad;  // per level: dL/d(convolution's output)
    std::vector<typename ChannelNorm<T>::Tape> norm;
  };

  /// errors: an extent that is neither 0 nor a power of two; extent 0 without a map size
  GatherDepthwise(Index channels, const GatherOptions& options) : options_(options) {
    check_extent(options.extent);
    check(options.extent != 0 || (options.height >= 1 && options.width >= 1),
          "GE: a global gather with parameters is made for one map size; give height and width, found ", options.height,
          " and ", options.width);
    Index count = options.extent == 0 ? 1 : 0;
    for (Index e = options.extent; e > 1; e /= 2) ++count;
    for (Index l = 0; l < count; ++l) levels_.emplace_back(channels, options, l);
  }

  [[nodiscard]] bool uniform() const noexcept { return false; }

  [[nodiscard]] Shape field(const Shape& x) const {
    check(options_.extent != 0 || (x.h == options_.height && x.w == options_.width),
          "GE: the gather is made for maps of ", options_.height, " by ", options_.width, ", the input has shape ", x);
    return {x.n, x.c, field_size(x.h, options_.extent), field_size(x.w, options_.extent)};
  }

  /// errors: one value per channel in training
  void check_training(const Shape& x) const {
    Index h = x.h;
    Index w = x.w;
    for (const Level& level : levels_) {
      const auto conv = level.plane(h, w);
      h = conv.out_h();
      w = conv.out_w();
      level.bn.check(x.c, x.n * h * w, true);
    }
  }

  void begin(const Shape& x, Mode mode, Tape& tape) const {
    tape.out.resize(levels_.size());
    tape.grad.resize(levels_.size());
    tape.norm.resize(levels_.size());
    for_each_level(x, [&](std::size_t l, const DepthwisePlane& conv) {
      resize(tape.out[l], x.c * x.n * conv.out_size());
      resize(tape.grad[l], x.c * x.n * conv.out_size());
      levels_[l].bn.begin(x.c, x.n * conv.out_size(), mode, tape.norm[l]);
    });
  }

  template <class Team, class X>
  void infer(const Team&, Index c, const X& x, std::span<double> t) const {
    Buffer<double> below;
    for_each_level(x.shape, [&](std::size_t l, const DepthwisePlane& conv) {
      Buffer<double> above(static_cast<std::size_t>(x.shape.n * conv.out_size()));
      convolve(l, c, conv, x, below, above);
      levels_[l].bn.infer(c, above, above);
      if (l + 1 < levels_.size()) rectify(above);
      below.swap(above);
    });
    std::ranges::copy(below, t.begin());
  }

  template <class Team, class X>
  void forward(const Team&, Index c, const X& x, std::span<double> t, Tape& tape) {
    std::span<double> below;
    for_each_level(x.shape, [&](std::size_t l, const DepthwisePlane& conv) {
      const auto above = channel(tape.out[l], c, x.shape, conv);
      convolve(l, c, conv, x, below, above);
      levels_[l].bn.forward(c, above, above, tape.norm[l]);
      if (l + 1 < levels_.size()) rectify(above);
      below = above;
    });
    std::ranges::copy(below, t.begin());
  }

  template <class X>
  void backward(Index c, const X& x, std::span<const double> dt, Tape& tape) {
    const auto convs = planes(x.shape);
    for (std::size_t l = levels_.size(); l-- > 0;) {
      const auto grad = channel(tape.grad[l], c, x.shape, convs[l]);
      if (l + 1 == levels_.size()) {
        std::ranges::copy(dt, grad.begin());
      } else {
        const auto out = channel(tape.out[l], c, x.shape, convs[l]);
        pull_level(l + 1, c, x.shape, convs[l + 1], tape, grad);
        for (std::size_t i = 0; i < grad.size(); ++i)
          if (!(out[i] > 0)) grad[i] = 0;
      }
      levels_[l].bn.backward(c, {}, grad, grad, tape.norm[l]);
      const auto below = l == 0 ? std::span<const double>{} : channel(tape.out[l - 1], c, x.shape, convs[l - 1]);
      add_weight_gradient(l, c, convs[l], x, below, grad);
    }
  }

  void pull(Index c, Index n, const Shape& x, std::span<const double>, const Tape& tape, std::span<double> add) const {
    const DepthwisePlane conv = levels_[0].plane(x.h, x.w);
    const double* grad = tape.grad[0].data() + (c * x.n + n) * conv.out_size();
    conv.data_gradient(grad, levels_[0].filter(c), add.data());
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    for (std::size_t l = 0; l < self.levels_.size(); ++l) v("gather." + std::to_string(l), self.levels_[l]);
  }

 private:
  struct Level {
    BasicParameter<T> weight;
    BasicParameter<T> bias;
    ChannelNorm<T> bn;
    bool whole;

    Level(Index channels, const GatherOptions& options, Index index) : bn(channels), whole(options.extent == 0) {
      const Index h = whole ? options.height : 3;
      const Index w = whole ? options.width : 3;
      weight = {"weight", {channels, 1, h, w}};
      if (options.bias) bias = {"bias", {channels}, T{}, false};
      spread_evenly(weight, 1 / std::sqrt(static_cast<double>(h * w)),
                    random_bits(options.seed, static_cast<std::uint64_t>(index)));
    }

    [[nodiscard]] DepthwisePlane plane(Index h, Index w) const {
      return whole ? DepthwisePlane::whole(h, w) : DepthwisePlane::halving(h, w);
    }
    [[nodiscard]] Index taps() const { return weight.shape[2] * weight.shape[3]; }
    [[nodiscard]] const T* filter(Index c) const { return weight.value.data() + c * taps(); }

    template <class Self, class V>
    static void visit(Self& self, V&& v) {
      v(self.weight);
      if (self.bias.size() > 0) v(self.bias);
      v("bn", self.bn);
    }
  };

  [[nodiscard]] std::vector<DepthwisePlane> planes(const Shape& x) const {
    std::vector<DepthwisePlane> all;
    for (const Level& level : levels_)
      all.push_back(all.empty() ? level.plane(x.h, x.w) : level.plane(all.back().out_h(), all.back().out_w()));
    return all;
  }

  template <class F>
  void for_each_level(const Shape& x, const F& f) const {
    const auto convs = planes(x);
    for (std::size_t l = 0; l < convs.size(); ++l) f(l, convs[l]);
  }

  [[nodiscard]] static std::span<double> channel(Buffer<double>& all, Index c, const Shape& x,
                                                 const DepthwisePlane& conv) {
    const Index count = x.n * conv.out_size();
    return {all.data() + c * count, static_cast<std::size_t>(count)};
  }

  static void rectify(std::span<double> values) {
    for (double& value : values) value = value > 0 ? value : 0;
  }

  /// Level 0 reads the planes of x, the others the field below.
  template <class X>
  void convolve(std::size_t l, Index c, const DepthwisePlane& conv, const X& x, std::span<const double> below,
                std::span<double> above) const {
    const Level& level = levels_[l];
    const double offset = level.bias.size() > 0 ? static_cast<double>(at(level.bias.value, c)) : 0;
    for (Index n = 0; n < x.shape.n; ++n) {
      double* out = above.data() + n * conv.out_size();
      if (l == 0)
        conv.forward(x.plane(n, c), level.filter(c), out);
      else
        conv.forward(below.data() + n * conv.in_size(), level.filter(c), out);
      for (Index i = 0; i < conv.out_size(); ++i) out[i] += offset;
    }
  }

  template <class X>
  void add_weight_gradient(std::size_t l, Index c, const DepthwisePlane& conv, const X& x,
                           std::span<const double> below, std::span<const double> grad) {
    Level& level = levels_[l];
    Buffer<double> dw(static_cast<std::size_t>(level.taps()), 0.0);
    for (Index n = 0; n < x.shape.n; ++n) {
      const double* from = grad.data() + n * conv.out_size();
      if (l == 0)
        conv.weight_gradient(x.plane(n, c), from, dw.data());
      else
        conv.weight_gradient(below.data() + n * conv.in_size(), from, dw.data());
    }
    for (Index i = 0; i < level.taps(); ++i) at(level.weight.grad, c * level.taps() + i) += static_cast<T>(at(dw, i));
    if (level.bias.size() == 0) return;
    double sum = 0;
    for (const double g : grad) sum += g;
    at(level.bias.grad, c) += static_cast<T>(sum);
  }

  /// The gradient that level l leaves for the field below it.
  void pull_level(std::size_t l, Index c, const Shape& x, const DepthwisePlane& conv, Tape& tape,
                  std::span<double> below) const {
    const auto grad = channel(tape.grad[l], c, x, conv);
    for (Index n = 0; n < x.n; ++n)
      conv.data_gradient(grad.data() + n * conv.out_size(), levels_[l].filter(c), below.data() + n * conv.in_size());
  }

  GatherOptions options_;
  std::vector<Level> levels_;
};

}  // namespace recal
