// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <type_traits>

#include <recal/core/buffer.hpp>
#include <recal/core/error.hpp>
#include <recal/core/scalar.hpp>
#include <recal/core/shape.hpp>

namespace recal {

/// Planes that begin `stride` elements apart.
template <class T>
struct PlaneSpan {
  T* first = nullptr;
  Index stride = 0;

  [[nodiscard]] constexpr T* operator[](Index plane) const noexcept { return first + plane * stride; }

  /// Those from one of them on.
  [[nodiscard]] constexpr PlaneSpan from(Index plane) const noexcept { return {(*this)[plane], stride}; }
};

/// A window on an NCHW tensor that someone else owns.
///   element (n, c, h, w) = data[n*stride_n + c*stride_c + h*W + w]
/// Planes are dense (H and W contiguous); the strides between planes are free, so that a channel
/// slice of a larger buffer is a view too.
template <class T>
struct TensorView {
  static_assert(TensorScalar<std::remove_const_t<T>>,
                "recal: a tensor's elements are float, double, recal::half or recal::bfloat16");

  T* data = nullptr;
  Shape shape;
  Index stride_n = 0;
  Index stride_c = 0;

  constexpr TensorView() = default;

  /// A contiguous tensor. requires: [buffer, buffer + shape.size()) is valid
  constexpr TensorView(T* buffer, const Shape& sizes) noexcept
      : data(buffer), shape(sizes), stride_n(sizes.c * sizes.plane()), stride_c(sizes.plane()) {}

  /// A strided tensor. requires: |between_channels| >= H*W wherever planes must not overlap
  constexpr TensorView(T* buffer, const Shape& sizes, Index between_samples, Index between_channels) noexcept
      : data(buffer), shape(sizes), stride_n(between_samples), stride_c(between_channels) {}

  /// A view of constant elements from one of elements that may change.
  template <class U>
    requires std::same_as<const U, T>
  constexpr TensorView(const TensorView<U>& other) noexcept  // NOLINT(google-explicit-constructor)
      : data(other.data), shape(other.shape), stride_n(other.stride_n), stride_c(other.stride_c) {}

  /// The first element of plane (n, c).
  [[nodiscard]] constexpr T* plane(Index n, Index c) const noexcept { return data + n * stride_n + c * stride_c; }

  /// The planes of sample n from channel c on.
  [[nodiscard]] constexpr PlaneSpan<T> planes(Index n, Index c) const noexcept { return {plane(n, c), stride_c}; }

  /// The planes of channel c, sample by sample.
  [[nodiscard]] constexpr PlaneSpan<T> samples(Index c) const noexcept { return {plane(0, c), stride_n}; }

  [[nodiscard]] constexpr T& operator()(Index n, Index c, Index h, Index w) const noexcept {
    return plane(n, c)[h * shape.w + w];
  }

  /// Whether all elements of a sample lie one after the other.
  [[nodiscard]] constexpr bool dense_samples() const noexcept { return stride_c == shape.plane(); }

  /// Whether all elements lie one after the other.
  [[nodiscard]] constexpr bool contiguous() const noexcept {
    return dense_samples() && stride_n == shape.c * shape.plane();
  }
};

template <class T>
TensorView(T*, Shape) -> TensorView<T>;
template <class T>
TensorView(T*, Shape, Index, Index) -> TensorView<T>;

/// A view that begins at channel `c`.
template <class T>
[[nodiscard]] constexpr TensorView<T> from_channel(const TensorView<T>& x, Index c) noexcept {
  TensorView<T> rest = x;
  rest.data += c * x.stride_c;
  rest.shape.c -= c;
  return rest;
}

/// An NCHW tensor that owns its elements, contiguous and aligned to cache lines.
template <class T>
class Tensor {
 public:
  Tensor() = default;

  /// Elements are not initialised.
  explicit Tensor(const Shape& shape) { resize(shape); }
  Tensor(const Shape& shape, T value) : shape_(shape), buffer_(static_cast<std::size_t>(shape.size()), value) {}

  /// ensures: shape() == shape; memory is kept where it suffices; elements are unspecified
  void resize(Shape shape) {
    shape_ = {};  // should memory run out
    renew(buffer_, shape.size());
    shape_ = shape;
  }

  void fill(T value) { buffer_.assign(buffer_.size(), value); }

  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] Index size() const noexcept { return shape_.size(); }
  [[nodiscard]] T* data() noexcept { return buffer_.data(); }
  [[nodiscard]] const T* data() const noexcept { return buffer_.data(); }
  [[nodiscard]] TensorView<T> view() noexcept { return {data(), shape_}; }
  [[nodiscard]] TensorView<const T> view() const noexcept { return {data(), shape_}; }

  [[nodiscard]] T& operator()(Index n, Index c, Index h, Index w) noexcept { return view()(n, c, h, w); }
  [[nodiscard]] const T& operator()(Index n, Index c, Index h, Index w) const noexcept { return view()(n, c, h, w); }

 private:
  Shape shape_;
  Buffer<T> buffer_;
};

/// How the planes of a tensor lie, named by tensor_traits<X>::layout.
struct row_major_planes {};

/// Makes a type of another library an NCHW tensor. A specialisation gives
///   using scalar = ...;                      float, double, half or bfloat16
///   using layout = recal::row_major_planes;  W contiguous, then H
///   static TensorView<scalar> view(X&);      and TensorView<const scalar> view(const X&)
template <class X>
struct tensor_traits {};

template <class T>
struct tensor_traits<TensorView<T>> {
  using scalar = std::remove_const_t<T>;
  using layout = row_major_planes;
  static constexpr TensorView<T> view(TensorView<T> x) noexcept { return x; }
};

template <class T>
struct tensor_traits<Tensor<T>> {
  using scalar = T;
  using layout = row_major_planes;
  static TensorView<T> view(Tensor<T>& x) noexcept { return x.view(); }
  static TensorView<const T> view(const Tensor<T>& x) noexcept { return x.view(); }
};

/// Anything with tensor_traits: a float, double, half or bfloat16 scalar, four sizes, dense planes.
template <class X>
concept NchwTensor = requires(X& x) {
  typename tensor_traits<std::remove_const_t<X>>::scalar;
  requires TensorScalar<typename tensor_traits<std::remove_const_t<X>>::scalar>;
  requires std::same_as<typename tensor_traits<std::remove_const_t<X>>::layout, row_major_planes>;
  tensor_traits<std::remove_const_t<X>>::view(x);
};

/// The scalar of an NCHW tensor type.
template <NchwTensor X>
using scalar_t = typename tensor_traits<std::remove_const_t<X>>::scalar;

/// The view of any NCHW tensor; the door through which every public function takes its arguments.
template <class X>
[[nodiscard]] constexpr auto view_of(X&& x) {
  using Bare = std::remove_reference_t<X>;
  static_assert(NchwTensor<Bare>,
                "recal: not an NCHW tensor; it needs a specialisation of recal::tensor_traits with a float, double, "
                "half or bfloat16 scalar and dense row-major planes (H and W contiguous, not column-major)");
  if constexpr (NchwTensor<Bare>) return tensor_traits<std::remove_const_t<Bare>>::view(x);
}

/// Throws unless `found` is `expected`; `what` names the tensor in the message.
inline void check_shape(std::string_view what, const Shape& found, const Shape& expected) {
  check(found == expected, what, " has shape ", found, ", expected ", expected);
}

namespace detail {

/// Throws where a forward pass for training would write over its input.
template <class X, class Y>
void check_not_in_place(const X& x, const Y& y) {
  check(static_cast<const void*>(x.data) != static_cast<const void*>(y.data) || x.shape.size() == 0,
        "a forward pass for training cannot work in place: backward needs the input of shape ", x.shape);
}

}  // namespace detail

}  // namespace recal
