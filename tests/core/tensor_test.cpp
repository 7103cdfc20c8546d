// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/tensor.hpp>

using recal::Index;
using recal::Shape;
using recal::Tensor;
using recal::TensorView;

namespace {

/// A tensor type of someone else: sizes in an array, pixels of samples one after the other, a row of nothing between.
struct Foreign {
  std::array<int, 4> sizes;
  std::vector<recal::half> pixels;
};

/// One that exists as a constant only.
struct ReadOnly {
  const double* numbers;
};

}  // namespace

template <>
struct recal::tensor_traits<Foreign> {
  using scalar = half;
  using layout = row_major_planes;
  static Shape shape(const Foreign& x) { return {x.sizes[0], x.sizes[1], x.sizes[2], x.sizes[3]}; }
  static TensorView<half> view(Foreign& x) { return {x.pixels.data(), shape(x)}; }
  static TensorView<const half> view(const Foreign& x) { return {x.pixels.data(), shape(x)}; }
};

template <>
struct recal::tensor_traits<ReadOnly> {
  using scalar = double;
  using layout = row_major_planes;
  static TensorView<const double> view(const ReadOnly& x) { return {x.numbers, {1, 1, 2, 2}}; }
};

namespace {

static_assert(recal::NchwTensor<Foreign> && recal::NchwTensor<const Foreign> && recal::NchwTensor<ReadOnly>);
static_assert(recal::NchwTensor<TensorView<float>> && recal::NchwTensor<const TensorView<const double>>);
static_assert(recal::NchwTensor<Tensor<recal::bfloat16>> && recal::NchwTensor<const Tensor<double>>);
static_assert(!recal::NchwTensor<std::vector<float>> && !recal::NchwTensor<float*> && !recal::NchwTensor<int>);
static_assert(std::is_same_v<recal::scalar_t<const Foreign>, recal::half>);
static_assert(std::is_same_v<recal::scalar_t<TensorView<const float>>, float>);

template <class X>
using viewed = decltype(recal::view_of(std::declval<X>()));
static_assert(std::is_same_v<viewed<Tensor<float>&>, TensorView<float>>);
static_assert(std::is_same_v<viewed<const Tensor<float>&>, TensorView<const float>>);
static_assert(std::is_same_v<viewed<const TensorView<float>&>, TensorView<float>>);
static_assert(std::is_same_v<viewed<TensorView<const float>>, TensorView<const float>>);
static_assert(std::is_same_v<viewed<Foreign&>, TensorView<recal::half>>);
static_assert(std::is_same_v<viewed<const Foreign&>, TensorView<const recal::half>>);

static_assert(std::is_convertible_v<TensorView<float>, TensorView<const float>>);
static_assert(!std::is_convertible_v<TensorView<const float>, TensorView<float>>);
static_assert(!std::is_convertible_v<TensorView<float>, TensorView<const double>>);
static_assert(std::is_same_v<decltype(std::declval<const Tensor<float>&>()(0, 0, 0, 0)), const float&>);
static_assert(std::is_same_v<decltype(std::declval<const Tensor<float>&>().view()), TensorView<const float>>);

std::vector<float> counted(Index count) {
  std::vector<float> numbers(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  return numbers;
}

}  // namespace

TEST_CASE("a contiguous view counts through w, h, c, n") {
  auto numbers = counted(2 * 3 * 4 * 5);
  const TensorView x(numbers.data(), Shape{2, 3, 4, 5});
  CHECK(x.contiguous());
  CHECK(x.dense_samples());
  float expected = 0;
  Index wrong = 0;
  for (Index n = 0; n < 2; ++n)
    for (Index c = 0; c < 3; ++c)
      for (Index h = 0; h < 4; ++h)
        for (Index w = 0; w < 5; ++w) wrong += x(n, c, h, w) != expected++;
  CHECK(wrong == 0);
}

TEST_CASE("a slice of channels is a view with the strides of the whole") {
  auto numbers = counted(2 * 6 * 2 * 2);
  const TensorView whole(numbers.data(), Shape{2, 6, 2, 2});
  const TensorView slice(whole.plane(0, 2), Shape{2, 3, 2, 2}, whole.stride_n, whole.stride_c);
  CHECK(slice.dense_samples());
  CHECK_FALSE(slice.contiguous());
  CHECK(&slice(1, 2, 1, 0) == &whole(1, 4, 1, 0));
  slice(1, 0, 0, 0) = -1;
  CHECK(numbers[24 + 8] == -1);

  const TensorView every_other(whole.data, Shape{2, 3, 2, 2}, whole.stride_n, 2 * whole.stride_c);
  CHECK_FALSE(every_other.dense_samples());
  CHECK(&every_other(1, 1, 0, 1) == &whole(1, 2, 0, 1));
}

TEST_CASE("strides may be negative or zero") {
  auto numbers = counted(3 * 4);
  const TensorView<const float> backwards(numbers.data() + 8, Shape{3, 1, 2, 2}, -4, 4);
  CHECK(backwards(2, 0, 0, 0) == 0);
  CHECK(backwards(0, 0, 1, 1) == 11);
  const TensorView<const float> repeated(numbers.data(), Shape{5, 1, 2, 2}, 0, 4);
  CHECK(repeated(4, 0, 1, 0) == 2);
}

TEST_CASE("a tensor owns aligned, contiguous elements") {
  Tensor<double> x({2, 3, 4, 5}, 1.5);
  CHECK(x.size() == 120);
  CHECK(reinterpret_cast<std::uintptr_t>(x.data()) % 64 == 0);
  CHECK(x(1, 2, 3, 4) == 1.5);
  x(1, 0, 0, 0) = 2;
  CHECK(x.data()[60] == 2);
  x.fill(3);
  CHECK(x(1, 0, 0, 0) == 3);
  CHECK(x(0, 0, 0, 0) == 3);

  const double* memory = x.data();
  x.resize({1, 3, 4, 5});
  CHECK(x.shape() == Shape{1, 3, 4, 5});
  CHECK(x.data() == memory);
  CHECK(x.view().contiguous());
  CHECK(Tensor<float>{}.size() == 0);
}

TEST_CASE("copies of a tensor are apart") {
  Tensor<float> x({1, 1, 1, 2}, 1.0F);
  Tensor<float> y = x;
  y(0, 0, 0, 0) = 2;
  CHECK(x(0, 0, 0, 0) == 1);
}

TEST_CASE("a type of one's own is seen through its traits") {
  Foreign x{{1, 2, 1, 3}, std::vector<recal::half>(6)};
  recal::view_of(x)(0, 1, 0, 2) = recal::half(4.0F);
  CHECK(x.pixels[5] == 4.0F);
  CHECK(recal::view_of(x).shape == Shape{1, 2, 1, 3});
  const std::array<double, 4> numbers{1, 2, 3, 4};
  CHECK(recal::view_of(ReadOnly{numbers.data()})(0, 0, 1, 0) == 3);
}

TEST_CASE("a wrong shape is refused with both shapes in the text") {
  CHECK_NOTHROW(recal::check_shape("dy", {1, 2, 3, 4}, {1, 2, 3, 4}));
  CHECK_THROWS_WITH_AS(recal::check_shape("dy", {1, 2, 3, 4}, {1, 2, 4, 3}),
                       "recal: dy has shape (N=1, C=2, H=3, W=4), expected (N=1, C=2, H=4, W=3)", recal::error);
}
