// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string_view>

#include <recal/core/shape.hpp>

namespace recal::nn {

/// The absence of a recalibration module in a block: no parameters, no passes. Blocks leave the step out at compile
/// time, so it has no forward or backward.
struct NoModule {
  static constexpr std::string_view checkpoint_name = "";

  struct Tape {};

  NoModule() = default;
  explicit NoModule(Index /*channels*/) {}

  template <class Self, class V>
  static void visit(Self&, V&&) {}
};

/// Whether a block with this module has the module's step.
template <class Module>
inline constexpr bool has_module = !std::same_as<Module, NoModule>;

}  // namespace recal::nn
