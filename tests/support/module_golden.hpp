// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>

#include "tests/support/golden.hpp"

namespace recal::testing {

struct Tolerance {
  double output;
  double gradient;
};

/// The bounds of a case. A batch norm that sees two values answers to their difference alone, and a
/// mean of 1e4 leaves a float three digits for it: there gradients have 1e-2 in float. The same
/// offset leaves float64, and the reference itself, 1e-8 on the gradient of the weights.
template <class T>
[[nodiscard]] Tolerance tolerance(std::string_view name) {
  const bool offset = name.find("offset") != name.npos;
  const bool two_values = name.starts_with("srm_train_2x12") || name.find("e0_train_2x12") != name.npos;
  if (std::is_same_v<T, double>) return {1e-9, offset ? 1e-8 : 1e-9};
  return {2e-6, offset || two_values ? 1e-2 : 2e-5};
}

/// Runs one golden case through forward (or forward_frozen) and backward and CHECKs everything in it.
template <class T, class B, class Module>
void check_case(const B& backend, const Golden& g, Module module) {
  const Tolerance allowed = tolerance<T>(g.name());
  load_parameters(module, g);
  const auto x = g.tensor<T>("x");
  const auto dy = g.tensor<T>("dy");
  Tensor<T> y(x.shape());
  Tensor<T> dx(x.shape());
  typename Module::Tape tape;
  if (g.meta("mode") == "eval") {
    module.infer(backend, x, y);
    check_tensor(y, g, "y", allowed.output);
    module.forward_frozen(backend, x, y, tape);
  } else {
    module.forward(backend, x, y, tape);
  }
  module.backward(backend, x, dy, dx, tape);
  check_tensor(y, g, "y", allowed.output);
  check_tensor(dx, g, "dx", allowed.gradient);
  check_gradients(module, g, allowed.gradient);
  check_states(module, g, allowed.output);
}

/// Every case whose name begins with `prefix`, in float and double, on both backends.
/// make.template operator()<T>(golden) gives the module.
template <class Make>
void check_cases(const std::string& prefix, const Make& make) {
  for (const std::string& name : golden_cases(prefix)) {
    CAPTURE(name);
    const Golden g(name);
    check_case<double>(Reference{}, g, make.template operator()<double>(g));
    check_case<double>(Cpu{}, g, make.template operator()<double>(g));
    check_case<float>(Reference{}, g, make.template operator()<float>(g));
    check_case<float>(Cpu{}, g, make.template operator()<float>(g));
  }
}

}  // namespace recal::testing
