// SPDX-License-Identifier: Apache-2.0
// expected: recal: not an NCHW tensor; it needs a specialisation of recal::tensor_traits

#include <array>

#include <recal/core/tensor.hpp>

#ifdef RECAL_PASSING
using Picture = recal::Tensor<float>;
#else
using Picture = std::array<float, 16>;
#endif

void look(Picture& picture) { static_cast<void>(recal::view_of(picture)); }
