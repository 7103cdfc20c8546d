// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <recal/backend/cuda/integrate/integrate.hpp>

namespace recal::cuda {

/// y = W x + b on vectors of doubles: recal::DenseLayer, multiplied in double.
struct DenseLayer {
  DeviceParameter weight;
  DeviceParameter bias;

  /// Weights start at 0; copy_parameters_to_device() brings others.
  template <Machine M>
  DenseLayer(const M& machine, Index inputs, Index outputs, bool biased, bool decay_bias) {
    check(inputs >= 1 && outputs >= 1, "a dense layer needs at least 1 input and 1 output, found ", inputs, " and ",
          outputs);
    weight = {machine, {"weight", {outputs, inputs}}};
    if (biased) bias = {machine, {"bias", {outputs}, 0.0F, decay_bias}};
  }

  [[nodiscard]] Index outputs() const { return weight.shape[0]; }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    if (self.bias.size() > 0) v(self.bias);
  }
};

/// The bottleneck of SE: recal::Mlp.
///   z = W2 max(0, W1 t + b1) + b2
/// A sample is a block's; both matrices come from cache for all samples but the first.
struct Mlp {
  static constexpr Mixing mixing = Mixing::channels;
  static constexpr Index in = 1;
  static constexpr Index out = 1;

  struct Tape {
    DeviceBuffer<double> hidden;       // (groups, R), after the ReLU
    DeviceBuffer<double> grad_hidden;  // (groups, R), before the ReLU
  };

  struct View {
    ParameterView w1;
    ParameterView b1;
    ParameterView w2;
    ParameterView b2;
    Index reduced;
    double* hidden;
    double* grad_hidden;

    template <class Lanes>
    RECAL_HOST_DEVICE void forward(const Lanes& lanes, Index group, Index rows, const double* t, double* z) const {
      double* own = hidden + group * reduced;
      multiply(lanes, w1, b1, reduced, rows, t, own, true);
      lanes.sync();
      multiply(lanes, w2, b2, rows, reduced, static_cast<const double*>(own), z, false);
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void backward(const Lanes& lanes, Index group, Index rows, const double*, const double* dz,
                                    double* dt) const {
      const double* own = hidden + group * reduced;
      double* grad = grad_hidden + group * reduced;
      for (Index r = lanes.lane(); r < reduced; r += lanes.lanes())
        lanes.store(grad + r, lanes.load(own + r) > 0 ? column(lanes, w2, rows, reduced, r, dz) : 0.0);
      lanes.sync();
      for (Index c = lanes.lane(); c < rows; c += lanes.lanes())
        lanes.store(dt + c, column(lanes, w1, reduced, rows, c, static_cast<const double*>(grad)));
    }

    /// Each block has every blocks'th run of the numbers of W1, W2, b1 and b2.
    template <class Lanes>
    RECAL_HOST_DEVICE void gradients(const Lanes& lanes, Index block, Index blocks, Index groups, Index rows,
                                     const double* t, const double* dz) const {
      const Index step = blocks * lanes.lanes();
      for (Index i = block * lanes.lanes() + lanes.lane(); i < rows * reduced; i += step) {
        w1.add_gradient(lanes, i, over_groups(lanes, groups, grad_hidden + i / rows, reduced, t + i % rows, rows));
        w2.add_gradient(lanes, i, over_groups(lanes, groups, dz + i / reduced, rows, hidden + i % reduced, reduced));
      }
      if (b1.value != nullptr)
        for (Index r = block * lanes.lanes() + lanes.lane(); r < reduced; r += step)
          b1.add_gradient(lanes, r, over_groups(lanes, groups, grad_hidden + r, reduced));
      if (b2.value != nullptr)
        for (Index c = block * lanes.lanes() + lanes.lane(); c < rows; c += step)
          b2.add_gradient(lanes, c, over_groups(lanes, groups, dz + c, rows));
    }

    [[nodiscard]] Index gradient_blocks(Index rows) const { return (rows * reduced + 255) / 256; }

   private:
    template <class Lanes>
    [[nodiscard]] RECAL_HOST_DEVICE static double offset(const Lanes& lanes, const ParameterView& b, Index i) {
      return b.value != nullptr ? b.get(lanes, i) : 0.0;
    }

    /// y = W x + b, then max(0, y) with `rectify`: a warp an output, so that it reads a row of W in one piece.
    template <class Lanes>
    RECAL_HOST_DEVICE static void multiply(const Lanes& lanes, const ParameterView& w, const ParameterView& b,
                                           Index outputs, Index inputs, const double* x, double* y, bool rectify) {
      for (Index o = lanes.lane() / warp_lanes; o < outputs; o += lanes.lanes() / warp_lanes) {
        double sum = 0;
        for (Index i = lanes.lane() % warp_lanes; i < inputs; i += warp_lanes)
          sum += w.get(lanes, o * inputs + i) * lanes.load(x + i);
        sum = lanes.warp_sum(sum) + offset(lanes, b, o);
        if (lanes.lane() % warp_lanes == 0) lanes.store(y + o, rectify && !(sum > 0) ? 0.0 : sum);
      }
    }

    /// (W^T y)[column]: neighbouring lanes read neighbouring columns.
    template <class Lanes>
    [[nodiscard]] RECAL_HOST_DEVICE static double column(const Lanes& lanes, const ParameterView& w, Index outputs,
                                                         Index inputs, Index column, const double* y) {
      double sum = 0;
      for (Index o = 0; o < outputs; ++o) sum += w.get(lanes, o * inputs + column) * lanes.load(y + o);
      return sum;
    }

    /// sum_g a[g a_step] b[g b_step]
    template <class Lanes>
    [[nodiscard]] RECAL_HOST_DEVICE static double over_groups(const Lanes& lanes, Index groups, const double* a,
                                                              Index a_step, const double* b, Index b_step) {
      double sum = 0;
      for (Index g = 0; g < groups; ++g) sum += lanes.load(a + g * a_step) * lanes.load(b + g * b_step);
      return sum;
    }
    template <class Lanes>
    [[nodiscard]] RECAL_HOST_DEVICE static double over_groups(const Lanes& lanes, Index groups, const double* a,
                                                              Index step) {
      double sum = 0;
      for (Index g = 0; g < groups; ++g) sum += lanes.load(a + g * step);
      return sum;
    }
  };

  DenseLayer fc1;
  DenseLayer fc2;

  /// errors: channels or reduced below 1
  template <Machine M>
  Mlp(const M& machine, Index channels, Index reduced, bool biased = true, bool decay_bias = true)
      : fc1(machine, channels, reduced, biased, decay_bias), fc2(machine, reduced, channels, biased, decay_bias) {}

  template <Machine M>
  void begin(const M& machine, Index groups, Index, Tape& tape) const {
    tape.hidden.resize(machine, groups * fc1.outputs());
    tape.grad_hidden.resize(machine, groups * fc1.outputs());
  }

  [[nodiscard]] View view(Pass, Tape& tape) const {
    return {view_of_parameter(fc1.weight),
            view_of_parameter(fc1.bias),
            view_of_parameter(fc2.weight),
            view_of_parameter(fc2.bias),
            fc1.outputs(),
            tape.hidden.data(),
            tape.grad_hidden.data()};
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v("fc1", self.fc1);
    v("fc2", self.fc2);
  }
};

}  // namespace recal::cuda
