// SPDX-License-Identifier: Apache-2.0
// expected: recal: not an NCHW tensor.*row-major planes .H and W contiguous, not column-major

#include <recal/core/tensor.hpp>

struct column_major_planes {};

struct Image {
  float* pixels = nullptr;
};

template <>
struct recal::tensor_traits<Image> {
  using scalar = float;
#ifdef RECAL_PASSING
  using layout = recal::row_major_planes;
#else
  using layout = column_major_planes;
#endif
  static TensorView<float> view(Image& image) { return {image.pixels, {.n = 1, .c = 1, .h = 2, .w = 2}}; }
};

recal::Shape shape_of(Image& image) { return recal::view_of(image).shape; }
