// SPDX-License-Identifier: Apache-2.0
#include "tests/backend/cuda/ptx/instantiate.hpp"
#include "tests/backend/cuda/ptx/tails.hpp"

namespace recal::testing {

void instantiate_tails(Results& results) {
  const Shape shape{2, 4, 7, 7};
  run_tails<float>(Instantiate{}, shape, results);
  run_tails<half>(Instantiate{}, shape, results);
  run_tails<bfloat16>(Instantiate{}, shape, results);
}

}  // namespace recal::testing
