// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <recal/backend/cpu/backend.hpp>
#include <recal/core/random.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/visit.hpp>

namespace recal::testing {

/// How a gradient check is made.
struct GradientCheck {
  double rtol = 1e-6;      ///< allowed error, relative to the largest gradient of the same array (or, where
                           ///< that is tiny, to a millionth of the largest of all)
  double step = 1e-3;      ///< of the difference quotient, relative to values of size 1
  double spread = 1.0;     ///< x and dy are spread evenly over +-spread
  double offset = 0.0;     ///< added to x
  bool frozen = false;     ///< check forward_frozen instead of forward
  std::uint64_t seed = 1;  ///< of x and dy
};

/// What came out. Converts to true if every gradient agreed; `text` names the worst one.
struct GradientReport {
  bool good = true;
  double worst = 0;
  std::string text;
  explicit operator bool() const noexcept { return good; }
};

namespace detail {

/// A module as the check sees it, whatever its type: one checker is compiled for all.
struct Subject {
  std::function<void(const Tensor<double>& x, Tensor<double>& y)> forward;
  std::function<void(const Tensor<double>& x, const Tensor<double>& dy, Tensor<double>& dx)> backward;
  std::vector<BasicParameter<double>*> parameters;
  std::vector<std::string> names;
  std::vector<BasicState<double>*> states;

  void add(const std::string& name, BasicParameter<double>& parameter) {
    names.push_back(name);
    parameters.push_back(&parameter);
  }
  void add(const std::string& /*name*/, BasicState<double>& state) { states.push_back(&state); }
};

/// One array whose gradient is checked: where its values lie and what backward said.
struct Checked {
  std::string name;
  double* values;
  std::vector<double> gradient;
};

class GradientChecker {
 public:
  GradientChecker(Subject subject, const Shape& shape, const GradientCheck& options)
      : subject_(std::move(subject)), options_(options), x_(shape), dy_(shape), y_(shape) {
    for (Index i = 0; i < shape.size(); ++i) {
      x_.data()[i] = options.offset + noise(0, i);
      dy_.data()[i] = noise(1, i);
    }
    for (const BasicState<double>* state : subject_.states) states_.push_back(state->value);
  }

  ~GradientChecker() { restore(); }
  GradientChecker(const GradientChecker&) = delete;
  GradientChecker& operator=(const GradientChecker&) = delete;

  GradientReport run() {
    GradientReport report;
    const auto arrays = backward(report);
    double largest = 0;
    for (const Checked& array : arrays) largest = std::max(largest, scale_of(array));
    for (const Checked& array : arrays) compare(array, std::max(scale_of(array), 1e-6 * largest), report);
    return report;
  }

 private:
  [[nodiscard]] double noise(std::uint64_t stream, Index i) const {
    return options_.spread * (2 * random_unit(random_bits(options_.seed, stream), static_cast<std::uint64_t>(i)) - 1);
  }

  void restore() {
    for (std::size_t i = 0; i < states_.size(); ++i) subject_.states[i]->value = states_[i];
  }

  void forward() {
    subject_.forward(x_, y_);
    restore();
  }

  /// The gradients of backward. Called twice, so that parameter gradients that do not add and data
  /// gradients that are not assigned are found out.
  std::vector<Checked> backward(GradientReport& report) {
    Tensor<double> dx(x_.shape(), std::numeric_limits<double>::quiet_NaN());
    for (BasicParameter<double>* parameter : subject_.parameters) parameter->grad.assign(parameter->grad.size(), 0.0);
    for (int time = 0; time < 2; ++time) {
      forward();
      subject_.backward(x_, dy_, dx);
    }
    std::vector<Checked> arrays;
    arrays.push_back({"dx", x_.data(), {dx.data(), dx.data() + dx.size()}});
    for (std::size_t i = 0; i < subject_.parameters.size(); ++i) {
      BasicParameter<double>& parameter = *subject_.parameters[i];
      arrays.push_back({subject_.names[i], parameter.value.data(), {parameter.grad.begin(), parameter.grad.end()}});
      for (double& value : arrays.back().gradient) value /= 2;
    }
    for (const Checked& array : arrays)
      for (const double value : array.gradient)
        if (!std::isfinite(value)) note(report, array.name + " is not finite", std::numeric_limits<double>::infinity());
    return arrays;
  }

  /// sum dy (y(value + h) - y(value - h))
  double difference(double& value, double h) {
    const double kept = value;
    value = kept + h;
    forward();
    const Tensor<double> above = y_;
    value = kept - h;
    forward();
    value = kept;
    double sum = 0;
    for (Index i = 0; i < y_.size(); ++i) sum += dy_.data()[i] * (above.data()[i] - y_.data()[i]);
    return sum;
  }

  /// A fourth-order difference quotient.
  double quotient(double& value, double h) { return (8 * difference(value, h) - difference(value, 2 * h)) / (12 * h); }

  static double scale_of(const Checked& array) {
    double scale = 0;
    for (const double value : array.gradient) scale = std::max(scale, std::abs(value));
    return scale;
  }

  static std::string digits(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
  }

  void compare(const Checked& array, double scale, GradientReport& report) {
    if (scale == 0) scale = 1;
    for (std::size_t i = 0; i < array.gradient.size(); ++i) {
      double best = std::numeric_limits<double>::infinity();
      double found = 0;
      // A kink (ReLU, max) or a steep spot near the value wants a smaller step.
      for (double h = options_.step; h >= options_.step / 300 && !(best <= options_.rtol); h /= 4) {
        const double numeric = quotient(array.values[i], h);
        const double error = std::abs(numeric - array.gradient[i]) / scale;
        if (error < best) {
          best = error;
          found = numeric;
        }
      }
      note(report,
           array.name + '[' + std::to_string(i) + "]: backward says " + digits(array.gradient[i]) +
               ", the difference quotient " + digits(found),
           best);
    }
  }

  void note(GradientReport& report, const std::string& text, double error) const {
    if (!(error <= options_.rtol)) report.good = false;
    if (!(error <= report.worst)) {
      report.worst = error;
      report.text = text + " (relative error " + digits(error) + ")";
    }
  }

  Subject subject_;
  GradientCheck options_;
  Tensor<double> x_;
  Tensor<double> dy_;
  Tensor<double> y_;
  std::vector<Buffer<double>> states_;
};

}  // namespace detail

/// Compares every gradient of a module, data and parameters, with difference quotients of
///   f = sum dy y
/// on random x and dy of the given shape. Also finds data gradients that are added and parameter
/// gradients that are assigned.
/// requires: a module with double parameters: Tape, forward, forward_frozen (if asked for), backward, visit
/// ensures:  parameters and states are as before; gradients are not
/// cost:     some 10 forward passes per number checked
template <class Module, Backend B = Cpu>
[[nodiscard]] GradientReport gradient_check(Module& module, const Shape& shape, const GradientCheck& options = {},
                                            const B& backend = {}) {
  typename Module::Tape tape;
  detail::Subject subject;
  subject.forward = [&](const Tensor<double>& x, Tensor<double>& y) {
    options.frozen ? module.forward_frozen(backend, x, y, tape) : module.forward(backend, x, y, tape);
  };
  subject.backward = [&](const Tensor<double>& x, const Tensor<double>& dy, Tensor<double>& dx) {
    module.backward(backend, x, dy, dx, tape);
  };
  for_each_leaf(module, [&subject](const std::string& name, auto& leaf) { subject.add(name, leaf); });
  return detail::GradientChecker(std::move(subject), shape, options).run();
}

}  // namespace recal::testing
