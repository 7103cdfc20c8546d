// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/conv_start.hpp>
#include <recal/core/tensor.hpp>

namespace recal::testing {

/// What the start makes of x, by the team of a backend.
template <class Team, class T>
[[nodiscard]] Tensor<T> started(const Team& team, const Tensor<T>& x, const ConvStart<T>& start) {
  Tensor<T> mapped(x.shape());
  for (Index n = 0; n < x.shape().n; ++n)
    for (Index c = 0; c < x.shape().c; ++c)
      team.map(x.shape().plane(), mapped.view().plane(n, c), start.of(c), x.view().plane(n, c));
  return mapped;
}

}  // namespace recal::testing
