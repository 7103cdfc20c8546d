// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/lanes.hpp>
#include <recal/backend/cuda/parameter.hpp>
#include <recal/integrate/integrate.hpp>

namespace recal::cuda {

/// What a pass does with statistics, and whether it leaves something for a backward pass.
enum class Pass { infer, train, frozen };

/// A device integration is an object on the host with parameters on the device; it makes a *view* that kernels take: a
/// trivially copyable struct of device pointers with the formulas. Names, shapes and meaning as recal::Integrate.
///
///   static constexpr Mixing mixing;  static constexpr Index in, out;
///   using Tape = ...;  using View = ...;
///   void begin(machine, groups, rows, tape) const;           room in the tape
///   View view(Pass, Tape&);                                  Pass::infer does not look at the tape
///   visit(self, v);                                          its parameters
///
///   View::forward(lanes, group, rows, t, z) const            t, z: the group's rows, in device memory, double
///   View::backward(lanes, group, rows, t, dz, dt) const
///   View::gradients(lanes, block, blocks, groups, rows, t, dz) const
///                                                            Mixing::channels only, after all groups; t, dz: all
///   View::gradient_blocks(rows) const                        how many blocks share that work
///
/// Lanes (lanes.hpp) are called together. Where a group is a channel, row r is lane r % lanes()'s alone, and gradients
/// of parameters are added in backward(). Where it is a sample, lanes.sync() comes before reading another lane's rows.
template <class I>
concept DeviceIntegrate = requires(I& integrate, typename I::Tape& tape) {
  { I::mixing } -> std::convertible_to<Mixing>;
  { I::in } -> std::convertible_to<Index>;
  { I::out } -> std::convertible_to<Index>;
  { integrate.view(Pass::train, tape) } -> std::same_as<typename I::View>;
  requires std::is_trivially_copyable_v<typename I::View>;
};

/// A parameter as kernels see it.
struct ParameterView {
  const float* value = nullptr;
  float* grad = nullptr;

  template <class Lanes>
  [[nodiscard]] RECAL_HOST_DEVICE double get(const Lanes& lanes, Index i) const {
    return static_cast<double>(lanes.load(value + i));
  }
  template <class Lanes>
  RECAL_HOST_DEVICE void add_gradient(const Lanes& lanes, Index i, double amount) const {
    lanes.store(grad + i, lanes.load(grad + i) + static_cast<float>(amount));
  }
};

[[nodiscard]] inline ParameterView view_of_parameter(const DeviceParameter& p) {
  return {p.value.data(), p.grad.data()};
}

}  // namespace recal::cuda
