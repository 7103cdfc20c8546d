// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/modules.hpp>
#include <recal/gate/hard_sigmoid.hpp>
#include <recal/pool/max.hpp>

#include "tests/backend/cuda/ptx/results.hpp"

namespace recal::testing {

/// Max with a channel-wise weight: a pool whose backward picks an element.
struct MaxModule : cuda::Recalibrate<Max, cuda::ChannelWise<1>, Sigmoid> {
  template <class M>
  MaxModule(const M& machine, Index channels) : Recalibrate(channels, Max{}, cuda::ChannelWise<1>(machine, channels)) {}
};

/// Launches every kernel of the modules for tensors of T. nvcc compiles what it launches, so the PTX has all of it; the
/// same function runs on the interpreter and on the host run.
template <class T, class M>
void run_modules(const M& machine, const Shape& shape, Results& results) {
  const Index c = shape.c;
  run_module<T>(machine, "SRM", cuda::Srm(machine, c), shape, results);
  run_module<T>(machine, "SE", cuda::Se<>(machine, c, 2), shape, results);
  run_module<T>(machine, "SE hard", cuda::Se<HardSigmoid>(machine, c, 2), shape, results);
  run_module<T>(machine, "GE", cuda::GlobalGeThetaMinus(machine, c), shape, results);
  run_module<T>(machine, "ECA", cuda::Eca(machine, c, 3), shape, results);
  run_module<T>(machine, "GCT", cuda::Gct(machine, c), shape, results);
  run_module<T>(machine, "GRN", cuda::Grn(machine, c), shape, results);
  run_module<T>(machine, "Max", MaxModule(machine, c), shape, results);
}

}  // namespace recal::testing
