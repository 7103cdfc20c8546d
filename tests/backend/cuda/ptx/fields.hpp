// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/field/ge.hpp>

#include "tests/backend/cuda/ptx/results.hpp"

namespace recal::testing {

/// Launches every kernel of gather-excite with extents and parameters for tensors of T.
template <class T, class M>
void run_fields(const M& machine, const Shape& shape, Results& results) {
  const GatherOptions whole_map{.extent = 0, .height = shape.h, .width = shape.w};
  const GatherOptions halving{.extent = 4};
  run_module<T>(machine, "GE minus 2", cuda::GeThetaMinus(machine, shape.c, 2), shape, results);
  run_module<T>(machine, "GE theta 0", cuda::GeTheta(machine, shape.c, whole_map), shape, results);
  run_module<T>(machine, "GE theta 4", cuda::GeTheta(machine, shape.c, halving), shape, results);
  run_module<T>(machine, "GE plus 4", cuda::GeThetaPlus(machine, shape.c, halving, 2), shape, results);
}

}  // namespace recal::testing
