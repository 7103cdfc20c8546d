// SPDX-License-Identifier: Apache-2.0
#include "tests/backend/cuda/ptx/instantiate.hpp"
#include "tests/backend/cuda/ptx/modules.hpp"

namespace recal::testing {

void instantiate_modules(Results& results) {
  const Shape shape{2, 4, 7, 7};
  run_modules<float>(Instantiate{}, shape, results);
  run_modules<half>(Instantiate{}, shape, results);
  run_modules<bfloat16>(Instantiate{}, shape, results);
}

}  // namespace recal::testing
