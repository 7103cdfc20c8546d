// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <recal/core/buffer.hpp>
#include <recal/core/error.hpp>
#include <recal/core/kept.hpp>
#include <recal/core/random.hpp>
#include <recal/integrate/dense.hpp>
#include <recal/integrate/integrate.hpp>

namespace recal {

/// The width R of a bottleneck over C channels: `reduced` where it is given, else max(1, C / reduction).
/// errors: a reduction or a reduced width below 1; `module` names who asks
[[nodiscard]] inline Index bottleneck_width(std::string_view module, Index channels, Index reduction, Index reduced) {
  check(reduction >= 1 && reduced >= 0, module,
        ": the reduction must be at least 1 and the reduced width positive, found ", reduction, " and ", reduced);
  return reduced > 0 ? reduced : std::max<Index>(1, channels / reduction);
}

/// The bottleneck of SE: two dense layers over the channels of a sample with a ReLU between.
///   z = W2 max(0, W1 t + b1) + b2;   W1 (R, C), b1 (R), W2 (C, R), b2 (C)
/// Weights start as DenseLayer's, from `seed`.
/// cost: 4 C R flops a sample; reads both matrices once a sample, or once for several of them (infer_groups,
///       forward_groups, backward_groups)
/// source: Hu, Shen, Sun, "Squeeze-and-Excitation Networks", CVPR 2018, section 3.2
template <class T>
struct Mlp {
  static constexpr Mixing mixing = Mixing::channels;
  static constexpr Index in = 1;
  static constexpr Index out = 1;

  struct Tape {
    Buffer<double> hidden;       // (groups, R), after the ReLU
    Buffer<double> grad_hidden;  // (groups, R), before the ReLU
  };

  DenseLayer<T> fc1;
  DenseLayer<T> fc2;

  /// errors: channels or reduced below 1
  Mlp(Index channels, Index reduced, bool biased = true, bool decay_bias = true, std::uint64_t seed = 0)
      : fc1(channels, reduced, biased, decay_bias, random_bits(seed, 0)),
        fc2(reduced, channels, biased, decay_bias, random_bits(seed, 1)) {}

  [[nodiscard]] Index reduced() const { return fc1.outputs(); }

  void begin(Index samples, Index, Mode, Tape& tape) const {
    resize(tape.hidden, samples * reduced());
    resize(tape.grad_hidden, samples * reduced());
  }

  void infer(Index sample, std::span<const double> t, std::span<double> z) const { infer_groups(sample, 1, t, z); }

  void infer_groups(Index, Index samples, std::span<const double> t, std::span<double> z) const {
    Kept<Buffer<double>> hidden;
    resize(*hidden, samples * reduced());
    run(samples, t, *hidden, z);
  }

  void forward(Index sample, std::span<const double> t, std::span<double> z, Tape& tape) {
    forward_groups(sample, 1, t, z, tape);
  }

  void forward_groups(Index first, Index samples, std::span<const double> t, std::span<double> z, Tape& tape) {
    run(samples, t, rows(tape.hidden, first, samples), z);
  }

  void backward(Index sample, std::span<const double> t, std::span<const double> dz, std::span<double> dt, Tape& tape) {
    backward_groups(sample, 1, t, dz, dt, tape);
  }

  void backward_groups(Index first, Index samples, std::span<const double>, std::span<const double> dz,
                       std::span<double> dt, Tape& tape) {
    pull(samples, dz, rows(tape.hidden, first, samples), rows(tape.grad_hidden, first, samples), dt);
  }

  void parameter_gradients(Index samples, std::span<const double> t, std::span<const double> dz, Tape& tape) {
    fc2.add_gradients(samples, tape.hidden, dz);
    fc1.add_gradients(samples, t, tape.grad_hidden);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v("fc1", self.fc1);
    v("fc2", self.fc2);
  }

 private:
  [[nodiscard]] std::span<double> rows(Buffer<double>& all, Index first, Index samples) const {
    return {all.data() + first * reduced(), static_cast<std::size_t>(samples * reduced())};
  }

  void run(Index samples, std::span<const double> t, std::span<double> hidden, std::span<double> z) const {
    fc1.apply(samples, t, hidden);
    for (double& value : hidden) value = value > 0 ? value : 0;
    fc2.apply(samples, hidden, z);
  }

  void pull(Index samples, std::span<const double> dz, std::span<const double> hidden, std::span<double> grad_hidden,
            std::span<double> dt) const {
    fc2.apply_transposed(samples, dz, grad_hidden);
    for (std::size_t r = 0; r < hidden.size(); ++r)
      if (!(hidden[r] > 0)) grad_hidden[r] = 0;
    fc1.apply_transposed(samples, grad_hidden, dt);
  }
};

}  // namespace recal
