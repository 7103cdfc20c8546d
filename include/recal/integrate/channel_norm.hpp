// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/core/error.hpp>
#include <recal/core/parameter.hpp>
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
    Buffer<double> normalised;  // (groups, rows)
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

  void infer(Index channel, std::span<const double> t, std::span<double> z) const {
    const double scale = at_as_double(weight.value, channel) * inverse_root(at_as_double(running_var.value, channel));
    const double mean = at_as_double(running_mean.value, channel);
    const double beta = at_as_double(bias.value, channel);
    for (std::size_t row = 0; row < t.size(); ++row) z[row] = scale * (t[row] - mean) + beta;
  }

  void forward(Index channel, std::span<const double> t, std::span<double> z, Tape& tape) {
    if (t.empty()) return;
    const Moments m = tape.mode == Mode::train ? moments(t) : running(channel);
    if (tape.mode == Mode::train) update(channel, m, t.size());
    double* normalised = tape.normalised.data() + channel * tape.rows;
    const double inverse = inverse_root(m.variance);
    at(tape.inverse, channel) = inverse;
    const double gamma = at_as_double(weight.value, channel);
    const double beta = at_as_double(bias.value, channel);
    for (std::size_t row = 0; row < t.size(); ++row) {
      // (t - origin) is exact for equal rows where t - mean need not be.
      const double own = ((t[row] - m.origin) - m.from_origin) * inverse;
      normalised[row] = own;
      z[row] = gamma * own + beta;
    }
  }

  void backward(Index channel, std::span<const double>, std::span<const double> dz, std::span<double> dt, Tape& tape) {
    if (dz.empty()) return;
    const double* normalised = tape.normalised.data() + channel * tape.rows;
    const double sum = detail::row_sum(dz.size(), [&](std::size_t row) { return dz[row]; });
    const double sum_normalised =
        detail::row_sum(dz.size(), [&](std::size_t row) { return dz[row] * normalised[row]; });
    at(weight.grad, channel) += static_cast<T>(sum_normalised);
    at(bias.grad, channel) += static_cast<T>(sum);
    const bool batch = tape.mode == Mode::train;
    const double count = static_cast<double>(dz.size());
    const double mean = batch ? sum / count : 0;
    const double slope = batch ? sum_normalised / count : 0;
    const double scale = at_as_double(weight.value, channel) * at(tape.inverse, channel);
    for (std::size_t row = 0; row < dz.size(); ++row) dt[row] = scale * (dz[row] - mean - slope * normalised[row]);
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
  struct Moments {
    double origin;  // the mean is origin + from_origin
    double from_origin;
    double variance;  // biased
  };

  static double at_as_double(const Buffer<T>& values, Index i) { return static_cast<double>(at(values, i)); }

  [[nodiscard]] double inverse_root(double variance) const { return 1 / std::sqrt(variance + eps); }

  static Moments moments(std::span<const double> t) {
    const double count = static_cast<double>(t.size());
    const double origin = t[0];
    const double mean = detail::row_sum(t.size(), [&](std::size_t row) { return t[row] - origin; }) / count;
    const double squares = detail::row_sum(t.size(), [&](std::size_t row) {
      const double deviation = t[row] - origin - mean;
      return deviation * deviation;
    });
    return {origin, mean, squares / count};
  }

  [[nodiscard]] Moments running(Index channel) const {
    return {at_as_double(running_mean.value, channel), 0, at_as_double(running_var.value, channel)};
  }

  void update(Index channel, const Moments& m, std::size_t rows) {
    const double count = static_cast<double>(rows);
    const auto blend = [this](T& kept, double fresh) {
      kept = static_cast<T>((1 - momentum) * static_cast<double>(kept) + momentum * fresh);
    };
    blend(at(running_mean.value, channel), m.origin + m.from_origin);
    blend(at(running_var.value, channel), m.variance * count / (count - 1));
    if (channel == 0) num_batches_tracked.value[0] += T{1};
  }
};

template <class T>
inline constexpr std::string_view name_in_chain<ChannelNorm<T>> = "bn";

}  // namespace recal
