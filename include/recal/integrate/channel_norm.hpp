// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <recal/core/error.hpp>
#include <recal/core/numbers.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/parameter.hpp>
#include <recal/integrate/channel_lanes.hpp>
#include <recal/integrate/integrate.hpp>
#include <recal/integrate/row_sum.hpp>
#include <recal/integrate/then.hpp>

namespace recal {

/// Batch norm of one number per row, per channel, over the rows (the samples; with a field of
/// styles, the samples and their positions).
///   train:  z = gamma (t - m) / sqrt(v + eps) + beta,  m, v the mean and biased variance of the rows;
///           running <- (1 - momentum) running + momentum (m, v rows/(rows - 1))
///   infer, frozen:  the running statistics take the place of m and v
/// Deviations are taken from the first row, so rows that are all equal give exactly beta.
/// errors: one row in training, whose variance nobody knows. No rows: nothing happens.
/// No weight decay on gamma and beta.
/// source: Ioffe, Szegedy, "Batch Normalization", ICML 2015; SRM section 3.2 for its use over N
template <class T>
struct ChannelNorm {
  static constexpr Mixing mixing = Mixing::samples;
  static constexpr Index in = 1;
  static constexpr Index out = 1;

  struct Tape {
    Mode mode = Mode::train;
    Index rows = 0;
    Buffer<double> normalised;  // (groups, rows); of a block of channels (rows, groups)
    Buffer<double> inverse;     // (groups): 1 / sqrt(v + eps)
  };

  BasicParameter<T> weight;
  BasicParameter<T> bias;
  BasicState<T> running_mean;
  BasicState<T> running_var;
  BasicState<T> num_batches_tracked{"num_batches_tracked", 1};
  double eps = 1e-5;
  double momentum = 0.1;

  explicit ChannelNorm(Index channels)
      : weight("weight", {channels}, T{1}, false),
        bias("bias", {channels}, T{0}, false),
        running_mean("running_mean", channels, T{0}),
        running_var("running_var", channels, T{1}) {}

  void check(Index, Index rows, bool training) const {
    recal::check(!training || rows != 1,
                 "batch norm over the samples of a channel needs at least 2 values per channel in training, found ",
                 rows, "; use infer, forward_frozen or a larger batch");
  }

  void begin(Index groups, Index rows, Mode mode, Tape& tape) const {
    tape.mode = mode;
    tape.rows = rows;
    resize(tape.normalised, groups * rows);
    resize(tape.inverse, groups);
  }

  void infer(Index channel, std::span<const double> t, std::span<double> z) const { infer_block(channel, 1, t, z); }

  void forward(Index channel, std::span<const double> t, std::span<double> z, Tape& tape) {
    forward_block(channel, 1, t, z, tape);
  }

  void backward(Index channel, std::span<const double> t, std::span<const double> dz, std::span<double> dt,
                Tape& tape) {
    backward_block(channel, 1, t, dz, dt, tape);
  }

  void infer_block(Index first, Index channels, std::span<const double> t, std::span<double> z) const {
    const Index rows = static_cast<Index>(t.size()) / channels;
    detail::for_each_channel_lanes(channels, [&](Index i, auto lanes, auto step) {
      using A = decltype(lanes);
      const A scale = detail::numbers_at<A>(weight.value, first + i) *
                      detail::inverse_root(detail::numbers_at<A>(running_var.value, first + i), eps);
      const A mean = detail::numbers_at<A>(running_mean.value, first + i);
      const A beta = detail::numbers_at<A>(bias.value, first + i);
      for (Index row = 0; row < rows; ++row) {
        const Index k = row * step + i;
        store(z.data() + k, scale * (load<A>(t.data() + k) - mean) + beta);
      }
    });
  }

  void forward_block(Index first, Index channels, std::span<const double> t, std::span<double> z, Tape& tape) {
    if (t.empty()) return;
    const Index rows = static_cast<Index>(t.size()) / channels;
    const bool batch = tape.mode == Mode::train;
    if (batch && first == 0) num_batches_tracked.value[0] += T{1};
    double* normalised = tape.normalised.data() + first * tape.rows;
    detail::for_each_channel_lanes(channels, [&](Index i, auto lanes, auto step) {
      using A = decltype(lanes);
      const auto m = batch ? moments<A>(rows, step, t.data() + i) : running<A>(first + i);
      if (batch) update(first + i, m, static_cast<double>(rows));
      const A inverse = detail::inverse_root(m.variance, eps);
      store(tape.inverse.data() + first + i, inverse);
      const A gamma = detail::numbers_at<A>(weight.value, first + i);
      const A beta = detail::numbers_at<A>(bias.value, first + i);
      for (Index row = 0; row < rows; ++row) {
        const Index k = row * step + i;
        // (t - origin) is exact for equal rows where t - mean need not be.
        const A own = ((load<A>(t.data() + k) - m.origin) - m.from_origin) * inverse;
        store(normalised + k, own);
        store(z.data() + k, gamma * own + beta);
      }
    });
  }

  void backward_block(Index first, Index channels, std::span<const double>, std::span<const double> dz,
                      std::span<double> dt, Tape& tape) {
    if (dz.empty()) return;
    const Index rows = static_cast<Index>(dz.size()) / channels;
    const double* normalised = tape.normalised.data() + first * tape.rows;
    detail::for_each_channel_lanes(channels, [&](Index i, auto lanes, auto step) {
      using A = decltype(lanes);
      const auto gradient = [&](Index k) { return load<A>(dz.data() + k); };
      const auto row_sum = [&](const auto& of_number) {
        return detail::row_sum(static_cast<std::size_t>(rows),
                               [&](std::size_t row) { return of_number(static_cast<Index>(row) * step + i); });
      };
      const A sum = row_sum(gradient);
      const A sum_normalised = row_sum([&](Index k) { return gradient(k) * load<A>(normalised + k); });
      detail::add_at(weight.grad, first + i, sum_normalised);
      detail::add_at(bias.grad, first + i, sum);
      const bool batch = tape.mode == Mode::train;
      const A count(static_cast<double>(rows));
      const A mean = batch ? sum / count : A(0);
      const A slope = batch ? sum_normalised / count : A(0);
      const A scale = detail::numbers_at<A>(weight.value, first + i) * load<A>(tape.inverse.data() + first + i);
      for (Index row = 0; row < rows; ++row) {
        const Index k = row * step + i;
        store(dt.data() + k, scale * (gradient(k) - mean - slope * load<A>(normalised + k)));
      }
    });
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.bias);
    v(self.running_mean);
    v(self.running_var);
    v(self.num_batches_tracked);
  }

 private:
  /// Of one channel, or of some in the lanes of A.
  template <class A>
  struct Moments {
    A origin;  // the mean is origin + from_origin
    A from_origin;
    A variance;  // biased
  };

  template <class A, class Step>
  [[nodiscard]] static Moments<A> moments(Index rows, Step step, const double* t) {
    const auto all = static_cast<std::size_t>(rows);
    const A count(static_cast<double>(rows));
    const A origin = load<A>(t);
    const auto distance = [&](std::size_t row) { return load<A>(t + static_cast<Index>(row) * step) - origin; };
    const A mean = detail::row_sum(all, distance) / count;
    const A squares = detail::row_sum(all, [&](std::size_t row) {
      const A deviation = distance(row) - mean;
      return deviation * deviation;
    });
    return {origin, mean, squares / count};
  }

  template <class A>
  [[nodiscard]] Moments<A> running(Index channel) const {
    return {detail::numbers_at<A>(running_mean.value, channel), A(0),
            detail::numbers_at<A>(running_var.value, channel)};
  }

  template <class A>
  void update(Index channel, const Moments<A>& m, double count) {
    detail::blend_at(running_mean.value, channel, momentum, m.origin + m.from_origin);
    detail::blend_at(running_var.value, channel, momentum, m.variance * A(count) / A(count - 1));
  }
};

template <class T>
inline constexpr std::string_view name_in_chain<ChannelNorm<T>> = "bn";

}  // namespace recal
