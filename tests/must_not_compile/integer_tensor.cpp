// SPDX-License-Identifier: Apache-2.0
// expected: recal: a tensor's elements are float, double, recal::half or recal::bfloat16

#include <recal/core/tensor.hpp>

#ifdef RECAL_PASSING
using Element = float;
#else
using Element = int;
#endif

recal::TensorView<Element> view(Element* data) { return {data, {.n = 1, .c = 1, .h = 2, .w = 2}}; }
