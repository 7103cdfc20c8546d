// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <tuple>
#include <unordered_map>

#include <recal/backend/cpu/packed_weights.hpp>
#include <recal/backend/cpu/winograd_weights.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/kept.hpp>

namespace recal::cpu {

/// What forward convolutions make of their weights before they multiply, kept from call to call: for weights that do
/// not change while this lives, as at inference. Known by where the weights are; whoever changes or frees some of them
/// calls clear() before the next convolution. Not for two threads at once.
/// cost: memory of up to four times the weights, and as much again where images of other sizes want them in another
/// order
template <class T>
class FixedWeights {
 public:
  /// The weights as `Operands`, a PackedWeights<T> or a WinogradWeights<T, W>; packed where they are not yet.
  template <class Operands>
  [[nodiscard]] const Operands& packed(const T* weight, const WeightShape& shape) {
    return std::get<Known<Operands>>(known_).try_emplace(weight, weight, shape).first->second.operands;
  }

  /// Forgets all weights.
  void clear() noexcept {
    std::apply([](auto&... known) { (known.clear(), ...); }, known_);
  }

  /// How many it knows.
  [[nodiscard]] std::size_t size() const noexcept {
    return std::apply([](const auto&... known) { return (known.size() + ...); }, known_);
  }

 private:
  template <class Operands>
  struct Own {
    Buffer<T> memory;
    Operands operands{memory};

    Own(const T* weight, const WeightShape& shape) { operands.pack(weight, shape); }
  };

  template <class Operands>
  using Known = std::unordered_map<const T*, Own<Operands>>;

  std::tuple<Known<PackedWeights<T>>, Known<WinogradWeights<T, winograd::Tile2x2>>,
             Known<WinogradWeights<T, winograd::Tile4x4>>>
      known_;
};

/// use(operands) with the weights as `Operands`: those of `fixed`, or packed for this call where it is null.
template <class Operands, class T, class Use>
void with_packed(const T* weight, const WeightShape& shape, FixedWeights<T>* fixed, const Use& use) {
  if (fixed != nullptr) return use(fixed->template packed<Operands>(weight, shape));
  Kept<Buffer<T>> memory;
  Operands operands(*memory);
  operands.pack(weight, shape);
  use(operands);
}

}  // namespace recal::cpu
