// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <recal/core/error.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/visit.hpp>

namespace recal::testing {

/// FNV-1a, 64 bits.
[[nodiscard]] constexpr std::uint64_t hash_of(std::string_view name) {
  std::uint64_t z = 0xcbf29ce484222325ULL;
  for (const char c : name) z = (z ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return z;
}

/// The pseudo-random numbers of tests/golden/README.md: element i of the tensor whose name has `hash`, in [0, 1).
[[nodiscard]] constexpr double uniform_of(std::uint64_t hash, std::uint64_t i) {
  std::uint64_t z = hash + i + 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  z ^= z >> 31U;
  return static_cast<double>(z >> 11U) * 0x1p-53;
}

[[nodiscard]] constexpr double uniform_of(std::string_view name, std::uint64_t i) {
  return uniform_of(hash_of(name), i);
}

/// values[i] = float(lo + (hi - lo) * u_i). Product and sum are rounded one by one: fused, one value in some hundred
/// million becomes the next float, which the networks' vectors notice.
template <class T>
void fill(std::string_view name, double lo, double hi, T* values, Index count) {
  const std::uint64_t hash = hash_of(name);
  for (Index i = 0; i < count; ++i) {
    const volatile double scaled = (hi - lo) * uniform_of(hash, static_cast<std::uint64_t>(i));
    values[i] = static_cast<T>(static_cast<float>(lo + scaled));
  }
}

struct Range {
  double lo;
  double hi;
};

/// The range of the values of a network's tensor, from its name and sizes. SE's fc1 and fc2 are 1x1 convolutions in
/// the networks that the vectors were made with, so they have the range of convolutions.
[[nodiscard]] inline Range fill_range(std::string_view name, const std::vector<Index>& sizes) {
  if (name.ends_with("cfc")) return {-0.5, 0.5};
  if (name.ends_with("running_mean")) return {-0.1, 0.1};
  if (name.ends_with("running_var")) return {0.8, 1.2};
  if (name.ends_with("bias")) return {-0.1, 0.1};
  check(name.ends_with("weight"), "no fill range for ", name);
  if (sizes.size() < 2) return {0.7, 1.3};
  Index per_output = 1;
  for (std::size_t i = 1; i < sizes.size(); ++i) per_output *= sizes[i];
  const double b = std::sqrt((name == "fc.weight" ? 1.0 : 6.0) / static_cast<double>(per_output));
  return {-b, b};
}

/// Gives every parameter and state of a network the values that the golden networks were made with.
template <class Layer>
void fill_network(Layer& layer) {
  for_each_leaf(layer, [](const std::string& name, auto& leaf) {
    if (name.ends_with("num_batches_tracked")) return;
    const Range range = fill_range(name, leaf.shape);
    fill(name, range.lo, range.hi, leaf.value.data(), leaf.size());
  });
}

/// The input of the golden networks, (4, 3, 64, 64).
template <class T>
[[nodiscard]] Tensor<T> golden_input() {
  Tensor<T> x(Shape{4, 3, 64, 64});
  fill("input", -1.7, 1.7, x.data(), x.size());
  return x;
}

/// The labels of the golden networks: 3n mod 10.
[[nodiscard]] inline std::vector<Index> golden_labels() { return {0, 3, 6, 9}; }

}  // namespace recal::testing
