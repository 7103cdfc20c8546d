// SPDX-License-Identifier: Apache-2.0
#include "device_check.hpp"

#include <recal/backend/cuda/available.hpp>
#include <recal/backend/cuda/stream.hpp>

#include "on_device.hpp"
#include "run.hpp"
#include "run_layers.hpp"

namespace recal::device_check {

Result run_on_card(const Job& job) {
  const cuda::Stream stream;
  const OnDevice<cuda::Stream> of{stream};
  if (job.element == "half") return run<half>(of, job);
  if (job.element == "bfloat16") return run<bfloat16>(of, job);
  return run<float>(of, job);
}

Layers run_layers_on_card(const Tensor<float>& x) { return run_layers(cuda::Stream{}, x); }

bool has_card() { return cuda::available(); }

}  // namespace recal::device_check
