// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <recal/core/buffer.hpp>
#include <recal/core/error.hpp>
#include <recal/core/random.hpp>
#include <recal/core/shape.hpp>

namespace recal {

namespace detail {

/// The product of the sizes of the array called `name`. errors: a negative size
[[nodiscard]] inline std::size_t element_count(const std::string& name, const std::vector<Index>& sizes) {
  std::size_t count = 1;
  for (const Index size : sizes) {
    check(size >= 0, name, " has the negative size ", size);
    count *= static_cast<std::size_t>(size);
  }
  return count;
}

}  // namespace detail

/// A learnable array: value, gradient, and whether weight decay applies.
/// Backward passes add to grad; zero_gradients() (core/zero_gradients.hpp) clears it.
template <class T>
struct BasicParameter {
  std::string name;
  std::vector<Index> shape;
  bool decay = true;
  Buffer<T> value;
  Buffer<T> grad;

  BasicParameter() = default;
  BasicParameter(std::string own_name, std::vector<Index> sizes, T initial = T{}, bool decays = true)
      : name(std::move(own_name)), shape(std::move(sizes)), decay(decays) {
    value.assign(detail::element_count(name, shape), initial);
    grad.assign(value.size(), T{});
  }

  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(value.size()); }
};

using Parameter = BasicParameter<float>;

/// Starting values: spread evenly over +-bound, from the stream `seed` of core/random.hpp.
template <class T>
void spread_evenly(BasicParameter<T>& parameter, double bound, std::uint64_t seed) {
  for (std::size_t i = 0; i < parameter.value.size(); ++i)
    parameter.value[i] = static_cast<T>(bound * (2 * random_unit(seed, i) - 1));
}

/// An array that belongs to the state but is not learned: running statistics.
template <class T>
struct BasicState {
  std::string name;
  std::vector<Index> shape;
  Buffer<T> value;

  BasicState() = default;
  BasicState(std::string own_name, Index count, T initial = T{})
      : name(std::move(own_name)), shape{count}, value(detail::element_count(name, shape), initial) {}

  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(value.size()); }
};

}  // namespace recal
