// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/tensor.hpp>

namespace recal::nn {

/// Scratch tensors that all blocks of a network share, one block at a time. They grow to the largest block and then
/// stay, so that a steady training step allocates no tensor.
template <class T>
struct Workspace {
  Tensor<T> current;  ///< what a block is working on, at inference
  Tensor<T> next;  ///< what it becomes; in training a gradient, or a shortcut that the block's output has no room for
  Tensor<T> shortcut;  ///< the other branch, at inference
  Buffer<T> scale;     ///< a norm as its convolution's finish
  Buffer<T> shift;
};

}  // namespace recal::nn
