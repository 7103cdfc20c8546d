// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/reference/conv2d.hpp>

#include <vector>

#include <doctest/doctest.h>

using namespace recal;

TEST_CASE("reference conv2d by hand: padding, stride, groups") {
  const double x[] = {1, 2, 3,  //
                      4, 5, 6,  //
                      7, 8, 9};
  const double weight[] = {1, 0, -1,  //
                           2, 0, -2,  //
                           1, 0, -1};
  const double bias[] = {0.5};
  double y[4];
  const Window window{3, 2, 1};
  conv2d(Reference{}, TensorView<const double>(x, {1, 1, 3, 3}), weight, TensorView<double>(y, {1, 1, 2, 2}), window, 1,
         {.shift = bias});
  CHECK(std::vector<double>(y, y + 4) == std::vector<double>{-8.5, 9.5, -20.5, 21.5});

  const double dy[] = {1, 2, 3, 4};
  double dx[9];
  conv2d_backward_data(Reference{}, TensorView<const double>(dy, {1, 1, 2, 2}), weight,
                       TensorView<double>(dx, {1, 1, 3, 3}), window, 1);
  CHECK(std::vector<double>(dx, dx + 9) == std::vector<double>{0, 2, 0, 0, 2, 0, 0, 2, 0});

  double dweight[9] = {100};
  double dbias[1] = {1};
  conv2d_backward_weight(Reference{}, TensorView<const double>(x, {1, 1, 3, 3}),
                         TensorView<const double>(dy, {1, 1, 2, 2}), dweight, dbias, window, 1);
  CHECK(dweight[0] == 120);  // x(1,1)*dy(1,1)
  CHECK(dweight[4] == 1 * 1 + 3 * 2 + 7 * 3 + 9 * 4);
  CHECK(dbias[0] == 11);

  const double two[] = {2, 3};  // channels of one pixel
  const double factors[] = {5, 7};
  double grouped[2];
  conv2d(Reference{}, TensorView<const double>(two, {1, 2, 1, 1}), factors, TensorView<double>(grouped, {1, 2, 1, 1}),
         Window{}, 2);
  CHECK(grouped[0] == 10);
  CHECK(grouped[1] == 21);

  const double scale[] = {0.5, -1};
  const double shift[] = {1, 2};
  const double shortcut[] = {0.25, 4};
  const TensorView<const double> other(shortcut, {1, 2, 1, 1});
  conv2d(Reference{}, TensorView<const double>(two, {1, 2, 1, 1}), factors, TensorView<double>(grouped, {1, 2, 1, 1}),
         Window{}, 2, {.scale = scale, .shift = shift, .shortcut = other, .relu = true});
  CHECK(grouped[0] == 6.25);
  CHECK(grouped[1] == 0);
}
