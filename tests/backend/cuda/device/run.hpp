// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <recal/core/visit.hpp>

#include "device_check.hpp"
#include "tests/support/fill.hpp"
#include "units.hpp"

namespace recal::device_check {

namespace detail {

/// Values that are the same on both sides, a function of the array's name; the count of batches begins at 3.
inline Buffer<float> parameter_values(std::string_view name, Index size) {
  Buffer<float> values(static_cast<std::size_t>(size), 3.0F);
  if (!name.ends_with("num_batches_tracked")) testing::fill(name, 0.3, 0.9, values.data(), size);
  return values;
}

template <class T, class Side, class Unit>
[[nodiscard]] Result run_unit(const Side& of, const Job& job, Unit unit) {
  for_each_leaf(unit, [&](const std::string& name, auto& leaf) { of.set(leaf, parameter_values(name, leaf.size())); });
  PassTensors<decltype(of.template tensor<T>(job.x))> t{
      of.template tensor<T>(job.x), of.template tensor<T>(job.shortcut), of.template tensor<T>(job.dy)};
  for (auto* made : {&t.inferred, &t.y, &t.dshortcut, &t.dx}) of.resize(*made, job.x.shape());
  Result result;
  unit.infer(of, t);
  unit.forward(of, t, job.training ? Mode::train : Mode::frozen);
  result.inferred = of.numbers(t.inferred);
  result.y = of.numbers(t.y);
  if (job.mask.size() > 0) t.y = of.template tensor<T>(job.mask);
  unit.backward(of, t);
  if (Unit::has_shortcut) result.dshortcut = of.numbers(t.dshortcut);
  result.dx = of.numbers(t.dx);
  for_each_parameter(unit,
                     [&](const std::string& name, const auto& p) { result.gradients[name] = of.numbers(p.grad); });
  for_each_state(unit, [&](const std::string& name, const auto& s) { result.states[name] = of.numbers(s.value); });
  return result;
}

}  // namespace detail

/// Inference, then forward and backward: what a Job says, on one side.
template <class T, class Side>
[[nodiscard]] Result run(const Side& of, const Job& job) {
  Result result;
  with_unit(of, job.unit, job.x.shape(), [&](auto unit) { result = detail::run_unit<T>(of, job, std::move(unit)); });
  return result;
}

}  // namespace recal::device_check
