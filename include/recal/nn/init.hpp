// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>
#include <type_traits>

#include <recal/core/parallel.hpp>
#include <recal/core/parameter.hpp>
#include <recal/core/random.hpp>
#include <recal/core/shape.hpp>
#include <recal/core/visit.hpp>

namespace recal::nn {

/// Random numbers as a function of (seed, name, index): the same on every machine and standard library,
/// whatever else was drawn before, and for a layer alone as for the whole network.
/// A stream of core/random.hpp that starts at the hash of seed and name.
class CounterRandom {
 public:
  constexpr CounterRandom(std::uint64_t seed, std::string_view name) noexcept : stream_(random_bits(seed, 0)) {
    for (const char c : name) stream_ = (stream_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;  // FNV-1a
    stream_ = random_bits(stream_, 0);
  }

  /// The seed under which random_bits() and random_unit() give the same numbers.
  [[nodiscard]] constexpr std::uint64_t stream() const noexcept { return stream_; }

  [[nodiscard]] constexpr std::uint64_t bits(std::uint64_t index) const noexcept { return random_bits(stream_, index); }

  /// In [0, 1), multiples of 2^-53.
  [[nodiscard]] constexpr double uniform(std::uint64_t index) const noexcept { return random_unit(stream_, index); }

  /// Mean 0, variance 1, by Box and Muller (1958).
  [[nodiscard]] double normal(std::uint64_t index) const noexcept {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform(2 * index)));
    return radius * std::cos(2.0 * std::numbers::pi * uniform(2 * index + 1));
  }

 private:
  std::uint64_t stream_;
};

/// values ~ N(0, sqrt(2 / (O k k))) for a weight [O, I/G, k, k]: He et al. 2015, fan-out, as torchvision's ResNets.
template <class T>
void he_normal(BasicParameter<T>& weight, std::uint64_t seed, std::string_view name) {
  const auto& s = weight.shape;
  const double deviation = std::sqrt(2.0 / static_cast<double>(s[0] * s[2] * s[3]));
  const CounterRandom random(seed, name);
  parallel_for(weight.size(), Index{4096}, [&](Index i) {
    at(weight.value, i) = static_cast<T>(deviation * random.normal(static_cast<std::uint64_t>(i)));
  });
}

/// values ~ U(-b, b), b = 1 / sqrt(inputs): PyTorch's default for weight and bias of a dense layer or convolution.
template <class T>
void uniform_fan_in(BasicParameter<T>& parameter, Index inputs, std::uint64_t seed, std::string_view name) {
  const double bound = inputs > 0 ? 1.0 / std::sqrt(static_cast<double>(inputs)) : 0.0;
  spread_evenly(parameter, bound, CounterRandom(seed, name).stream());
}

/// Asks a layer's constructor to leave its parameters at 0: for networks, which initialise all layers at once.
struct Uninitialised {};

/// A layer that knows how its parameters begin: Conv2d, Linear.
template <class Layer>
concept Initialisable = requires(Layer& layer, std::uint64_t seed, std::string_view name) {
  layer.initialise(seed, name);
};

namespace detail {

class Initialiser {
 public:
  Initialiser(std::uint64_t seed, std::string prefix) : seed_(seed), prefix_(std::move(prefix)) {}

  template <class Leaf>
    requires(recal::detail::is_parameter<Leaf> || recal::detail::is_state<Leaf>)
  void operator()(Leaf&) const {}

  template <class Child>
  void operator()(std::string_view name, Child& child) const {
    descend(child, name.empty() ? prefix_ : prefix_ + std::string(name) + '.');
  }

  template <class Layer>
  void descend(Layer& layer, const std::string& prefix) const {
    if constexpr (Initialisable<Layer>) {
      layer.initialise(seed_, prefix);
    } else {
      Initialiser inner(seed_, prefix);
      Layer::visit(layer, inner);
    }
  }

 private:
  std::uint64_t seed_;
  std::string prefix_;
};

}  // namespace detail

/// Gives every layer of a network that is Initialisable its first parameters, a function of the seed and of the
/// parameter's full name; the others keep what their constructors gave them.
template <class Network>
void initialise(Network& network, std::uint64_t seed) {
  detail::Initialiser(seed, "").descend(network, "");
}

}  // namespace recal::nn
