// SPDX-License-Identifier: Apache-2.0
#include "tests/backend/cuda/ptx/fields.hpp"
#include "tests/backend/cuda/ptx/instantiate.hpp"

namespace recal::testing {

void instantiate_fields(Results& results) {
  const Shape shape{2, 4, 7, 7};
  run_fields<float>(Instantiate{}, shape, results);
  run_fields<half>(Instantiate{}, shape, results);
  run_fields<bfloat16>(Instantiate{}, shape, results);
}

}  // namespace recal::testing
