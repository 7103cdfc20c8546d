// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>

#include <recal/backend/cpu/backend.hpp>
#include <recal/eca.hpp>
#include <recal/fused/residual_tail.hpp>
#include <recal/gct.hpp>
#include <recal/ge.hpp>
#include <recal/grn.hpp>
#include <recal/nn/batch_norm.hpp>
#include <recal/se.hpp>
#include <recal/srm.hpp>

namespace recal::device_check {

/// The units of units.hpp on the CPU backend, in float.
struct OnProcessor {
  using Norm = nn::BatchNorm2d<float>;
  using TailTape = ResidualTailTape;
  template <class Gating>
  using Tail = ResidualTail<Norm, Gating>;
  template <class T>
  using AnyTensor = Tensor<T>;

  Cpu machine{};

  [[nodiscard]] static Norm norm(Index c) { return Norm(c); }
  [[nodiscard]] static auto srm(Index c) { return Srm<>(c); }
  [[nodiscard]] static auto se(Index c) { return Se<>(c); }
  [[nodiscard]] static auto ge(Index c) { return GeThetaMinus<>(c); }
  [[nodiscard]] static auto eca(Index c) { return Eca<>(c, 5); }
  [[nodiscard]] static auto gct(Index c) { return Gct<>(c); }
  [[nodiscard]] static auto grn(Index c) { return Grn<>(c); }
  [[nodiscard]] static auto ge_minus(Index c, Index extent) { return GeThetaMinus<>(c, extent); }
  [[nodiscard]] static auto ge_theta(Index c, const GatherOptions& options) { return GeTheta<>(c, options); }
  [[nodiscard]] static auto ge_plus(Index c, const GatherOptions& options) {
    return GeThetaPlus<>(c, {.gather = options});
  }

  template <class Gating>
  void infer(const Gating& gating, const Tensor<float>& x, Tensor<float>& y, typename Gating::Tape&) const {
    gating.infer(machine, x, y);
  }
  template <class Gating>
  void infer_tail(const Gating& gating, const Tensor<float>& x, const Tensor<float>& shortcut, Tensor<float>& y,
                  typename Gating::Tape&, TailTape&) const {
    recal::infer_tail(machine, gating, x.view(), shortcut.view(), y.view());
  }

  [[nodiscard]] static TensorView<const float> read(const Tensor<float>& x) { return x.view(); }

  template <class T>
  [[nodiscard]] static Tensor<float> tensor(const Tensor<float>& from) {
    static_assert(std::is_same_v<T, float>);
    return from;
  }
  static void resize(Tensor<float>& tensor, const Shape& shape) { tensor.resize(shape); }
  [[nodiscard]] static const Tensor<float>& numbers(const Tensor<float>& from) { return from; }

  template <class Leaf>
  static void set(Leaf& leaf, const Buffer<float>& values) {
    using Number = typename decltype(leaf.value)::value_type;
    std::transform(values.begin(), values.end(), leaf.value.begin(),
                   [](float value) { return static_cast<Number>(value); });
  }
  template <class T>
  [[nodiscard]] static Buffer<float> numbers(const Buffer<T>& from) {
    Buffer<float> to(from.size());
    std::transform(from.begin(), from.end(), to.begin(), [](T value) { return static_cast<float>(value); });
    return to;
  }
};

}  // namespace recal::device_check
