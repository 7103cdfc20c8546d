// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/tensor.hpp>

namespace recal::nn {

/// Scratch that all blocks of a network share, one block at a time. It grows to the largest block and then stays. In
/// training only a tail of several passes takes any.
template <class T>
struct Workspace {
  Tensor<T> current;   ///< what a block is working on
  Tensor<T> next;      ///< what it becomes; in training the other branch, where the block's output has no room for it
  Tensor<T> shortcut;  ///< the other branch
  Buffer<T> scale;     ///< a norm as its convolution's finish
  Buffer<T> shift;
};

}  // namespace recal::nn
