// SPDX-License-Identifier: Apache-2.0
// expected: recal: a tensor's elements are float, double, recal::half or recal::bfloat16

#include <recal/core/tensor.hpp>

#ifdef RECAL_PASSING
using Element = double;
#else
using Element = unsigned char;
#endif

float* first(recal::Tensor<Element>& x) { return reinterpret_cast<float*>(x.view().data); }
