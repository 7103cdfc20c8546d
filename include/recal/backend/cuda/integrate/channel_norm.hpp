// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/backend/cuda/integrate/integrate.hpp>
#include <recal/integrate/then.hpp>

namespace recal::cuda {

/// Batch norm of one number per row, per channel, over the rows: recal::ChannelNorm.
struct ChannelNorm {
  static constexpr Mixing mixing = Mixing::samples;
  static constexpr Index in = 1;
  static constexpr Index out = 1;

  struct Tape {
    DeviceBuffer<double> normalised;  // (groups, rows)
    DeviceBuffer<double> inverse;     // (groups): 1 / sqrt(v + eps)
  };

  struct View {
    ParameterView weight;
    ParameterView bias;
    float* running_mean;
    float* running_var;
    float* batches;
    double* normalised;  // null at inference
    double* inverse;
    double eps;
    double momentum;
    bool of_batch;

    template <class Lanes>
    RECAL_HOST_DEVICE void forward(const Lanes& lanes, Index channel, Index rows, const double* t, double* z) const {
      const Moments m = of_batch ? moments(lanes, rows, t) : running(lanes, channel);
      const double root = 1 / std::sqrt(m.variance + eps);
      if (of_batch && lanes.lane() == 0) update(lanes, channel, m, rows);
      if (normalised != nullptr && lanes.lane() == 0) lanes.store(inverse + channel, root);
      const double gamma = weight.get(lanes, channel);
      const double beta = bias.get(lanes, channel);
      for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) {
        const double value = ((lanes.load(t + r) - m.origin) - m.from_origin) * root;
        if (normalised != nullptr) lanes.store(normalised + channel * rows + r, value);
        lanes.store(z + r, gamma * value + beta);
      }
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void backward(const Lanes& lanes, Index channel, Index rows, const double*, const double* dz,
                                    double* dt) const {
      double sum = 0;
      double sum_normalised = 0;
      for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) {
        sum += lanes.load(dz + r);
        sum_normalised += lanes.load(dz + r) * lanes.load(normalised + channel * rows + r);
      }
      sum = lanes.sum(sum);
      sum_normalised = lanes.sum(sum_normalised);
      if (lanes.lane() == 0) {
        weight.add_gradient(lanes, channel, sum_normalised);
        bias.add_gradient(lanes, channel, sum);
      }
      const double count = static_cast<double>(rows);
      const double mean = of_batch ? sum / count : 0;
      const double slope = of_batch ? sum_normalised / count : 0;
      const double scale = weight.get(lanes, channel) * lanes.load(inverse + channel);
      for (Index r = lanes.lane(); r < rows; r += lanes.lanes())
        lanes.store(dt + r, scale * (lanes.load(dz + r) - mean - slope * lanes.load(normalised + channel * rows + r)));
    }

   private:
    struct Moments {
      double origin;  // the mean is origin + from_origin
      double from_origin;
      double variance;  // biased
    };

    /// The first row is where deviations are taken from; it is lane 0's, who passes it on.
    template <class Lanes>
    [[nodiscard]] RECAL_HOST_DEVICE static Moments moments(const Lanes& lanes, Index rows, const double* t) {
      const double origin = lanes.sum(lanes.lane() == 0 ? lanes.load(t) : 0.0);
      const double count = static_cast<double>(rows);
      double sum = 0;
      for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) sum += lanes.load(t + r) - origin;
      const double mean = lanes.sum(sum) / count;
      double squares = 0;
      for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) {
        const double deviation = lanes.load(t + r) - origin - mean;
        squares += deviation * deviation;
      }
      return {origin, mean, lanes.sum(squares) / count};
    }

    template <class Lanes>
    [[nodiscard]] RECAL_HOST_DEVICE Moments running(const Lanes& lanes, Index channel) const {
      return {static_cast<double>(lanes.load(running_mean + channel)), 0,
              static_cast<double>(lanes.load(running_var + channel))};
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void update(const Lanes& lanes, Index channel, const Moments& m, Index rows) const {
      const double count = static_cast<double>(rows);
      blend(lanes, running_mean + channel, m.origin + m.from_origin);
      blend(lanes, running_var + channel, m.variance * count / (count - 1));
      if (channel == 0) lanes.store(batches, lanes.load(batches) + 1.0F);
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void blend(const Lanes& lanes, float* kept, double fresh) const {
      lanes.store(kept,
                  static_cast<float>((1 - momentum) * static_cast<double>(lanes.load(static_cast<const float*>(kept))) +
                                     momentum * fresh));
    }
  };

  DeviceParameter weight;
  DeviceParameter bias;
  DeviceState running_mean;
  DeviceState running_var;
  DeviceState num_batches_tracked;
  double eps = 1e-5;
  double momentum = 0.1;

  template <Machine M>
  ChannelNorm(const M& machine, Index channels)
      : weight(machine, {"weight", {channels}, 1.0F, false}),
        bias(machine, {"bias", {channels}, 0.0F, false}),
        running_mean(machine, BasicState<float>("running_mean", channels, 0.0F)),
        running_var(machine, BasicState<float>("running_var", channels, 1.0F)),
        num_batches_tracked(machine, BasicState<float>("num_batches_tracked", 1)) {}

  /// errors: one row in training, whose variance nobody knows
  void check(Index, Index rows, bool training) const {
    recal::check(!training || rows != 1,
                 "batch norm over the samples of a channel needs at least 2 values per channel in training, found ",
                 rows, "; use infer, forward_frozen or a larger batch");
  }

  template <Machine M>
  void begin(const M& machine, Index groups, Index rows, Tape& tape) const {
    tape.normalised.resize(machine, groups * rows);
    tape.inverse.resize(machine, groups);
  }

  /// For a backward pass, the pass that it follows.
  [[nodiscard]] View view(Pass pass, Tape& tape) const {
    const bool taped = pass != Pass::infer;
    return {view_of_parameter(weight),
            view_of_parameter(bias),
            running_mean.value.data(),
            running_var.value.data(),
            num_batches_tracked.value.data(),
            taped ? tape.normalised.data() : nullptr,
            taped ? tape.inverse.data() : nullptr,
            eps,
            momentum,
            pass == Pass::train};
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.bias);
    v(self.running_mean);
    v(self.running_var);
    v(self.num_batches_tracked);
  }
};

}  // namespace recal::cuda

template <>
inline constexpr std::string_view recal::name_in_chain<recal::cuda::ChannelNorm> = "bn";
