// SPDX-License-Identifier: Apache-2.0
#include "tests/backend/cuda/ptx/instantiate.hpp"
#include "tests/backend/cuda/ptx/layers.hpp"

namespace recal::testing {

void instantiate_layers(Results& results) {
  const Shape shape{2, 4, 7, 7};
  run_layers<float>(Instantiate{}, shape, results);
  run_layers<half>(Instantiate{}, shape, results);
  run_layers<bfloat16>(Instantiate{}, shape, results);
  run_training(Instantiate{}, results);
}

}  // namespace recal::testing
