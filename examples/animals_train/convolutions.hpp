// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cpu/conv2d.hpp>
#include <recal/backend/cpu/conv2d_gradient.hpp>
#include <recal/backend/cpu/gemm.hpp>

/// Every network has the same convolutions: they are compiled once, in convolutions.cpp.
namespace recal {

extern template void conv2d<float>(const Cpu&, const TensorView<const float>&, const float*, const TensorView<float>&,
                                   const Window&, Index, const ConvFinish<float>&, const ConvStart<float>&,
                                   cpu::FixedWeights<float>*);
extern template void conv2d_backward_data<float>(const Cpu&, const TensorView<const float>&, const float*,
                                                 const TensorView<float>&, const Window&, Index,
                                                 const ConvFinish<float>&);
extern template void conv2d_backward_weight<float>(const Cpu&, const TensorView<const float>&,
                                                   const TensorView<const float>&, float*, float*, const Window&, Index,
                                                   const ConvStart<float>&);

}  // namespace recal
