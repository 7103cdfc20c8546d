// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/backend.hpp>
#include <recal/backend/conv_finish.hpp>
#include <recal/backend/cpu/fixed_weights.hpp>
#include <recal/core/tensor.hpp>
#include <recal/nn/batch_norm.hpp>
#include <recal/nn/conv2d.hpp>
#include <recal/nn/workspace.hpp>

namespace recal::nn {

/// y = norm(conv(x)) with running statistics, then what else `finish` says: one pass, since the norm is what the
/// convolution does to its sums before it writes them. Weights may be fixed, see Conv2d.
/// requires: a convolution without bias
/// errors: shapes that do not match
template <Backend B, class T>
void infer_conv_norm(const B& backend, const Conv2d<T>& conv, const BatchNorm2d<T>& norm, const TensorView<const T>& x,
                     const TensorView<T>& y, ConvFinish<T> finish, Workspace<T>& work,
                     cpu::FixedWeights<T>* fixed = nullptr) {
  resize(work.scale, norm.channels());
  resize(work.shift, norm.channels());
  for (Index c = 0; c < norm.channels(); ++c) {
    const auto map = norm.running_map(c, nullptr);
    at(work.scale, c) = static_cast<T>(map.scale);
    at(work.shift, c) = static_cast<T>(map.shift - map.scale * map.centre);
  }
  finish.scale = work.scale.data();
  finish.shift = work.shift.data();
  conv.forward(backend, x, y, finish, {}, fixed);
}

/// A convolution without bias and the batch norm after it.
template <class T>
struct ConvNorm {
  Conv2d<T> conv;
  BatchNorm2d<T> norm;

  struct Tape {
    Tensor<T> convolved;
    typename BatchNorm2d<T>::Tape norm;
  };

  /// The convolution's weights are 0 until initialise().
  ConvNorm(Index in, Index out, const Conv2dOptions& options) : conv(in, out, options, Uninitialised{}), norm(out) {}

  template <Backend B>
  void infer(const B& backend, const TensorView<const T>& x, const TensorView<T>& y, const ConvFinish<T>& finish,
             Workspace<T>& work, cpu::FixedWeights<T>* fixed = nullptr) const {
    infer_conv_norm(backend, conv, norm, x, y, finish, work, fixed);
  }

  /// Names of torchvision's downsample, which is a sequence: 0 the convolution, 1 the norm.
  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v("0", self.conv);
    v("1", self.norm);
  }
};

}  // namespace recal::nn
