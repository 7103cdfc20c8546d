// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

namespace recal::nn {

/// What becomes of the gradients of a network's parameters. Where a backward pass adds to those of some layers, it
/// calls
///
///   use(add, layers...)
///
/// and that calls add() once. Afterwards their gradients are complete and nothing reads their parameters any more until
/// the next forward pass: an optimiser may take its step there (train/sgd.hpp, in_backward()).
template <class Use>
concept GradientUse = std::invocable<Use&, void (&)()>;

/// Gradients are added and stay.
struct KeepGradients {
  template <class Add, class... Layer>
  void operator()(const Add& add, Layer&...) const {
    add();
  }
};

}  // namespace recal::nn
