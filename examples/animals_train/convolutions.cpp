// SPDX-License-Identifier: Apache-2.0
#include "convolutions.hpp"

namespace recal {

template void conv2d<float>(const Cpu&, const TensorView<const float>&, const float*, const TensorView<float>&,
                            const Window&, Index, const ConvFinish<float>&, const ConvStart<float>&,
                            cpu::FixedWeights<float>*);
template void conv2d_backward_data<float>(const Cpu&, const TensorView<const float>&, const float*,
                                          const TensorView<float>&, const Window&, Index, const ConvFinish<float>&);
template void conv2d_backward_weight<float>(const Cpu&, const TensorView<const float>&, const TensorView<const float>&,
                                            float*, float*, const Window&, Index, const ConvStart<float>&);

}  // namespace recal
