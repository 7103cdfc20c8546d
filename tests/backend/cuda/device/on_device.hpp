// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include <recal/backend/cuda/batch_norm.hpp>
#include <recal/backend/cuda/field/ge.hpp>
#include <recal/backend/cuda/modules.hpp>
#include <recal/backend/cuda/residual_tail.hpp>

#include "tests/support/narrow_tensor.hpp"

namespace recal::device_check {

/// The units of units.hpp on a machine: a card's stream, or the host run.
template <cuda::Machine M>
struct OnDevice {
  using Norm = cuda::BatchNorm2d;
  using TailTape = cuda::ResidualTailTape;
  template <class Gating>
  using Tail = cuda::ResidualTail<Gating>;
  template <class T>
  using AnyTensor = cuda::DeviceTensor<T>;

  const M& machine;

  [[nodiscard]] Norm norm(Index c) const { return {machine, c}; }
  [[nodiscard]] auto srm(Index c) const { return cuda::Srm(machine, c); }
  [[nodiscard]] auto se(Index c) const { return cuda::Se<>(machine, c, width(c)); }
  [[nodiscard]] auto ge(Index c) const { return cuda::GlobalGeThetaMinus(machine, c); }
  [[nodiscard]] auto eca(Index c) const { return cuda::Eca(machine, c, 5); }
  [[nodiscard]] auto gct(Index c) const { return cuda::Gct(machine, c); }
  [[nodiscard]] auto grn(Index c) const { return cuda::Grn(machine, c); }
  [[nodiscard]] auto ge_minus(Index c, Index extent) const { return cuda::GeThetaMinus(machine, c, extent); }
  [[nodiscard]] auto ge_theta(Index c, const GatherOptions& options) const {
    return cuda::GeTheta(machine, c, options);
  }
  [[nodiscard]] auto ge_plus(Index c, const GatherOptions& options) const {
    return cuda::GeThetaPlus(machine, c, options, width(c));
  }

  template <class Gating, class X, class Y>
  void infer(const Gating& gating, const X& x, Y& y, typename Gating::Tape& workspace) const {
    gating.infer(machine, x, y, workspace);
  }
  template <class Gating, class X, class Y>
  void infer_tail(const Gating& gating, const X& x, const X& shortcut, Y& y, typename Gating::Tape& workspace,
                  TailTape& tail_workspace) const {
    cuda::infer_tail(machine, gating, x, shortcut, y, workspace, tail_workspace);
  }

  template <class T>
  [[nodiscard]] static TensorView<const T> read(const cuda::DeviceTensor<T>& x) {
    return x.view();
  }

  template <class T>
  [[nodiscard]] cuda::DeviceTensor<T> tensor(const Tensor<float>& from) const {
    return {machine, testing::rounded<T>(from)};
  }
  template <class T>
  void resize(cuda::DeviceTensor<T>& tensor, const Shape& shape) const {
    tensor.resize(machine, shape);
  }
  template <class T>
  [[nodiscard]] Tensor<float> numbers(const cuda::DeviceTensor<T>& from) const {
    return testing::widened(from.to_host(machine));
  }

  template <class Leaf>
  void set(Leaf& leaf, const Buffer<float>& values) const {
    upload(machine, std::span<const float>(values), leaf.value);
  }
  [[nodiscard]] Buffer<float> numbers(const cuda::DeviceBuffer<float>& from) const {
    return cuda::download(machine, from);
  }

 private:
  [[nodiscard]] static Index width(Index c) { return std::max<Index>(1, c / 16); }
};

}  // namespace recal::device_check
