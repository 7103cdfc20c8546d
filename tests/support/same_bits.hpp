// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

#include <recal/core/tensor.hpp>

namespace recal::testing {

template <class T>
[[nodiscard]] bool same_bits(std::span<const T> a, std::span<const T> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

template <class T>
[[nodiscard]] bool same_bits(const Tensor<T>& a, const Tensor<T>& b) {
  const auto all = [](const Tensor<T>& x) { return std::span<const T>(x.data(), static_cast<std::size_t>(x.size())); };
  return a.shape() == b.shape() && same_bits(all(a), all(b));
}

}  // namespace recal::testing
