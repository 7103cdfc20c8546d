// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <recal/core/zero_gradients.hpp>
#include <recal/nn/resnet.hpp>
#include <recal/train/cross_entropy.hpp>
#include <recal/train/sgd.hpp>

#include "tests/support/fill.hpp"
#include "tests/support/golden.hpp"

namespace recal::testing {

struct Bounds {
  double logits;
  double loss;
  double norms;
  double later_losses;  ///< not compared where 0
  double fifth_pass;    ///< gradients and statistics, which four steps of training have moved apart
};

inline constexpr Bounds double_bounds{1e-7, 1e-7, 1e-7, 1e-6, 1e-5};
inline constexpr Bounds float_bounds{1e-3, 1e-4, 1e-2, 0.0, 0.0};
/// SRM's gradient norms over four samples and 2x2 maps amplify the rounding of float tensors itself: the reference
/// backend, which computes in double, is off by 1.13e-2 in the worst norm; the CPU by 1e-3 to 1.45e-2, as the rounding
/// of an instruction set and of a compiler's optimisations falls.
inline constexpr Bounds float_srm_bounds{1e-3, 1e-4, 1.5e-2, 0.0, 0.0};

template <class Net>
void check_norms(const Net& net, const Golden& g, double bound) {
  double worst = 0.0;
  std::size_t compared = 0;
  for_each_parameter(net, [&](const std::string& name, const auto& parameter) {
    const double expected = g.values<double>("gradnorm/" + name)[0];
    double squares = 0.0;
    for (const auto value : parameter.grad) squares += static_cast<double>(value) * static_cast<double>(value);
    const double error = std::abs(std::sqrt(squares) - expected) / expected;
    if (!(error <= worst)) worst = error;
    ++compared;
  });
  CHECK(compared == g.names("gradnorm/").size());
  CHECK(worst <= bound);
}

/// The first numbers of every gradient, and the running statistics: the files hold those of the fifth training pass.
template <class Net>
void check_fifth_pass(const Net& net, const Golden& g, double bound) {
  double worst = 0.0;
  for_each_parameter(net, [&](const std::string& name, const auto& parameter) {
    const auto head = g.values<double>("gradhead/" + name);
    const double norm = g.values<double>("gradnorm/" + name)[0];
    for (std::size_t i = 0; i < head.size(); ++i) {
      const double error = std::abs(static_cast<double>(parameter.grad[i]) - head[i]) / norm;
      if (!(error <= worst)) worst = error;
    }
  });
  CHECK(worst <= bound);
  std::size_t compared = 0;
  for_each_state(net, [&](const std::string& name, const auto& state) {
    if (!g.has("after/" + name)) return;
    CHECK(relative_error(state.value, g.values<double>("after/" + name)) <= bound);
    ++compared;
  });
  CHECK(compared == g.names("after/").size());
  CHECK(compared > 0);
}

/// ResNet-50 against a case: logits in inference and training, the loss, the norms of all gradients, and (unless
/// bounds.later_losses is 0) four steps of SGD and the fifth pass.
template <class T, class Module, class B>
void check_resnet50(const B& backend, const std::string& name, const Bounds& bounds) {
  CAPTURE(name);
  const Golden g("resnet50_" + name + "_4x3x64x64");
  nn::ResNet<T, Module> net({.classes = 10, .height = 64, .width = 64});
  CHECK(std::to_string(parameter_count(net)) == g.meta("parameters"));
  fill_network(net);
  const auto x = golden_input<T>();
  const auto labels = golden_labels();
  typename decltype(net)::Tape tape;
  check_tensor(net.infer(backend, x, tape), g, "eval_logits", bounds.logits);

  train::Sgd<T> sgd(net, {.momentum = g.number("sgd_momentum"), .weight_decay = 0.0});
  const auto losses = g.values<double>("losses_5_sgd_steps");
  Tensor<T> dlogits({4, 10, 1, 1});
  const std::size_t passes = bounds.later_losses > 0.0 ? losses.size() : 1;
  for (std::size_t pass = 0; pass < passes; ++pass) {
    const auto logits = net.forward(backend, x, tape);
    const double loss = train::cross_entropy(logits, labels, dlogits);
    const double error = std::abs(loss - losses[pass]) / losses[pass];
    CHECK(error <= (pass == 0 ? bounds.loss : bounds.later_losses));
    zero_gradients(net);
    net.backward(backend, x, dlogits, tape);
    if (pass == 0) {
      check_tensor(logits, g, "train_logits", bounds.logits);
      check_norms(net, g, bounds.norms);
    }
    if (pass + 1 < passes) sgd.step(net, g.number("sgd_lr"));
  }
  if (bounds.later_losses > 0.0) check_fifth_pass(net, g, bounds.fifth_pass);
}

}  // namespace recal::testing
