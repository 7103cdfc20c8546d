// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/reference/pool2d.hpp>

#include <vector>

#include <doctest/doctest.h>

using namespace recal;

TEST_CASE("reference poolings by hand") {
  const float x[] = {1, 5, 2,  //
                     5, 0, 7,  //
                     3, 7, 4};
  const TensorView<const float> in(x, {1, 1, 3, 3});
  float y[4];
  const TensorView<float> out(y, {1, 1, 2, 2});
  std::int32_t arg_max[4];
  max_pool2d(Reference{}, in, out, {2, 1, 0}, arg_max);
  CHECK(std::vector<float>(y, y + 4) == std::vector<float>{5, 7, 7, 7});
  CHECK(std::vector<std::int32_t>(arg_max, arg_max + 4) == std::vector<std::int32_t>{1, 5, 7, 5});
  const float dy[] = {1, 2, 3, 4};
  float dx[9];
  max_pool2d_backward(Reference{}, TensorView<const float>(dy, {1, 1, 2, 2}), TensorView<float>(dx, {1, 1, 3, 3}),
                      arg_max);
  CHECK(std::vector<float>(dx, dx + 9) == std::vector<float>{0, 1, 0, 0, 0, 6, 0, 3, 0});

  avg_pool2d(Reference{}, in, out, {3, 2, 1}, false);
  CHECK(std::vector<float>(y, y + 4) == std::vector<float>{2.75F, 3.5F, 3.75F, 4.5F});
  avg_pool2d(Reference{}, in, out, {3, 2, 1}, true);
  CHECK(y[0] == doctest::Approx(11.0 / 9));
  avg_pool2d_backward(Reference{}, TensorView<const float>(dy, {1, 1, 2, 2}), TensorView<float>(dx, {1, 1, 3, 3}),
                      {3, 2, 1}, false);
  CHECK(std::vector<float>(dx, dx + 9) == std::vector<float>{0.25F, 0.75F, 0.5F, 1, 2.5F, 1.5F, 0.75F, 1.75F, 1});

  float mean[1];
  global_avg_pool(Reference{}, in, TensorView<float>(mean, {1, 1, 1, 1}));
  CHECK(mean[0] == doctest::Approx(34.0 / 9));
  global_avg_pool_backward(Reference{}, TensorView<const float>(dy, {1, 1, 1, 1}), TensorView<float>(dx, {1, 1, 3, 3}));
  CHECK(dx[8] == doctest::Approx(1.0 / 9));
}
