// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <recal/core/visit.hpp>
#include <recal/core/zero_gradients.hpp>
#include <recal/integrate/integrate.hpp>

#include "tests/support/derivative.hpp"
#include "tests/support/noise.hpp"

namespace recal::testing {

/// The styles of all groups of an integration, and what is asked of it.
struct IntegrateCase {
  Index groups;
  Index rows;
  Mode mode = Mode::train;
  double lo = -1;  ///< styles are spread over [lo, hi)
  double hi = 1;
};

/// Walks through all groups of an integration, as Recalibrate does.
template <class I>
class IntegrateWalk {
 public:
  IntegrateWalk(const I& integrate, const IntegrateCase& c)
      : t(noise("t", c.groups * c.rows * I::in, c.lo, c.hi)),
        dz(noise("dz", c.groups * c.rows * I::out)),
        made_(integrate),
        case_(c) {}

  Buffer<double> t;
  Buffer<double> dz;

  /// z of a copy, so that running statistics stay as they are.
  [[nodiscard]] Buffer<double> forward() const {
    I copy = made_;
    typename I::Tape tape;
    return forward(copy, tape, false);
  }

  [[nodiscard]] Buffer<double> infer() const {
    Buffer<double> z(dz.size(), nothing);
    for (Index g = 0; g < case_.groups; ++g) made_.infer(g, slice<I::in>(t, g), slice<I::out>(z, g));
    return z;
  }

  /// The largest relative difference between the channels one by one and all of them as a block, forward, backward, at
  /// inference and in what the integration holds afterwards.
  [[nodiscard]] double block_error() const {
    I apart = made_;
    I together = made_;
    typename I::Tape tape_apart;
    typename I::Tape tape_together;
    const Buffer<double> z = forward(apart, tape_apart, false);
    Buffer<double> dt(t.size(), nothing);
    each_group(false, [&](Index g) {
      apart.backward(g, slice<I::in>(t, g), slice<I::out>(dz, g), slice<I::in>(dt, g), tape_apart);
    });

    const Buffer<double> t_block = by_sample<I::in>(t);
    Buffer<double> z_block(dz.size(), nothing);
    Buffer<double> inferred(dz.size(), nothing);
    Buffer<double> dt_block(t.size(), nothing);
    made_.infer_block(0, case_.groups, t_block, inferred);
    recal::detail::begin_tape(together, case_.groups, case_.rows, case_.mode, tape_together);
    together.forward_block(0, case_.groups, t_block, z_block, tape_together);
    together.backward_block(0, case_.groups, t_block, by_sample<I::out>(dz), dt_block, tape_together);

    double worst =
        std::max({relative_error(inferred, by_sample<I::out>(infer())), relative_error(z_block, by_sample<I::out>(z)),
                  relative_error(dt_block, by_sample<I::in>(dt))});
    const auto held = [](const I& integrate) {
      std::vector<std::vector<double>> all;
      for_each_leaf(integrate, [&](const std::string&, const auto& leaf) {
        all.emplace_back(leaf.value.begin(), leaf.value.end());
        if constexpr (requires { leaf.grad; }) all.emplace_back(leaf.grad.begin(), leaf.grad.end());
      });
      return all;
    };
    const auto expected = held(apart);
    const auto found = held(together);
    for (std::size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, relative_error(found[i], expected[i]));
    return worst;
  }

  /// The largest relative error of dt and of every parameter gradient. Backward goes twice, the groups backwards the
  /// second time: parameter gradients must add, data gradients must not, and the order must not matter.
  [[nodiscard]] double gradient_error() {
    I trained = made_;
    zero_gradients(trained);
    Buffer<double> dt(t.size());
    typename I::Tape tape;
    for (const bool reversed : {false, true}) {
      static_cast<void>(forward(trained, tape, reversed));
      std::ranges::fill(dt, nothing);
      each_group(reversed, [&](Index g) {
        trained.backward(g, slice<I::in>(t, g), slice<I::out>(dz, g), slice<I::in>(dt, g), tape);
      });
      recal::detail::add_parameter_gradients(trained, case_.groups, t, dz, tape);
    }
    const auto loss = [&] {
      const Buffer<double> z = forward();
      double sum = 0;
      for (std::size_t i = 0; i < z.size(); ++i) sum += z[i] * dz[i];
      return sum;
    };
    double worst = testing::gradient_error(dt, t, loss);
    std::vector<std::vector<double>> gradients;
    for_each_parameter(trained, [&](auto& parameter) {
      for (double& value : parameter.grad) value /= 2;
      gradients.emplace_back(parameter.grad.begin(), parameter.grad.end());
    });
    std::size_t next = 0;
    for_each_parameter(made_, [&](auto& parameter) {
      worst = std::max(worst, testing::gradient_error(gradients[next++], parameter.value, loss));
    });
    return worst;
  }

 private:
  static constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

  template <Index width, class Values>
  [[nodiscard]] auto slice(Values& values, Index group) const {
    const auto count = static_cast<std::size_t>(case_.rows * width);
    return std::span(values).subspan(static_cast<std::size_t>(group) * count, count);
  }

  /// Rows as a block of all channels has them.
  template <Index width>
  [[nodiscard]] Buffer<double> by_sample(const Buffer<double>& by_channel) const {
    Buffer<double> rows(by_channel.size(), nothing);
    for (Index c = 0; c < case_.groups; ++c)
      for (Index n = 0; n < case_.rows; ++n)
        for (Index d = 0; d < width; ++d)
          at(rows, (n * case_.groups + c) * width + d) = at(by_channel, (c * case_.rows + n) * width + d);
    return rows;
  }

  template <class F>
  void each_group(bool reversed, const F& f) const {
    for (Index g = 0; g < case_.groups; ++g) f(reversed ? case_.groups - 1 - g : g);
  }

  Buffer<double> forward(I& integrate, typename I::Tape& tape, bool reversed) const {
    recal::detail::begin_tape(integrate, case_.groups, case_.rows, case_.mode, tape);
    Buffer<double> z(dz.size(), nothing);
    each_group(reversed, [&](Index g) { integrate.forward(g, slice<I::in>(t, g), slice<I::out>(z, g), tape); });
    return z;
  }

  I made_;
  IntegrateCase case_;
};

/// The names of all parameters and states.
template <class Layer>
[[nodiscard]] std::vector<std::string> leaf_names(const Layer& layer) {
  std::vector<std::string> names;
  for_each_leaf(layer, [&](const std::string& name, const auto&) { names.push_back(name); });
  return names;
}

}  // namespace recal::testing
