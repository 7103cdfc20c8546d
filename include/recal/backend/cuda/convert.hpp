// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/host_device.hpp>
#include <recal/core/scalar.hpp>

namespace recal::cuda {

/// An element as the number that it is computed with: A is float, or double.
template <class A, class T>
[[nodiscard]] RECAL_HOST_DEVICE A widen(T value) {
  return static_cast<A>(value);
}
template <class A>
[[nodiscard]] RECAL_HOST_DEVICE A widen(half value) {
#if defined(__CUDA_ARCH__)
  float wide;
  asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(value.bits));
  return static_cast<A>(wide);
#else
  return static_cast<A>(static_cast<float>(value));
#endif
}
template <class A>
[[nodiscard]] RECAL_HOST_DEVICE A widen(bfloat16 value) {
  return static_cast<A>(static_cast<float>(value));
}

/// A number as an element of a tensor: rounded to nearest even.
template <class T, class A>
[[nodiscard]] RECAL_HOST_DEVICE T narrow(A value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<T>(value);
#if defined(__CUDA_ARCH__)
  } else if constexpr (std::is_same_v<T, half>) {
    half rounded;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(rounded.bits) : "f"(static_cast<float>(value)));
    return rounded;
#endif
  } else {
    return T(static_cast<float>(value));
  }
}

}  // namespace recal::cuda
