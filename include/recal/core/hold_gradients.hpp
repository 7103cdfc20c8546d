// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/parameter.hpp>
#include <recal/core/visit.hpp>

namespace recal {

/// Parameters have memory for their gradients from the beginning. release_gradients() gives it back, for a layer that
/// only infers or whose optimiser lends it; a backward pass that finds none makes it anew, by hold_gradients().
///
/// ensures: every gradient has its parameter's size; those that did not are zero
template <class Layer>
void hold_gradients(Layer& layer) {
  for_each_parameter(layer, []<class T>(BasicParameter<T>& parameter) {
    if (parameter.grad.size() != parameter.value.size()) parameter.grad.assign(parameter.value.size(), T{});
  });
}

/// ensures: every gradient is empty and takes no memory
template <class Layer>
void release_gradients(Layer& layer) {
  for_each_parameter(layer, []<class T>(BasicParameter<T>& parameter) { Buffer<T>().swap(parameter.grad); });
}

}  // namespace recal
