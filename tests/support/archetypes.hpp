// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include <recal/backend/backend.hpp>
#include <recal/core/tensor.hpp>
#include <recal/gate/gate.hpp>
#include <recal/integrate/integrate.hpp>
#include <recal/pool/style_pool.hpp>

namespace recal::testing {

/// What a type has that can be moved and nothing else.
struct MoveOnly {
  MoveOnly() = delete;
  explicit MoveOnly(int) {}
  MoveOnly(const MoveOnly&) = delete;
  MoveOnly& operator=(const MoveOnly&) = delete;
  MoveOnly(MoveOnly&&) = default;
  MoveOnly& operator=(MoveOnly&&) = delete;
  ~MoveOnly() = default;
};

/// Models of the concepts with the least they ask for. Together in Recalibrate: y = x * factor * sum(x).

/// A StylePool: t = sum of the plane.
struct LeastPool : MoveOnly {
  using MoveOnly::MoveOnly;
  static constexpr Index width = 1;

  template <class A>
  struct State {
    A sum;
  };
  template <class A>
  static State<A> start(A) {
    return {A(0)};
  }
  template <class A>
  static void add(State<A>& s, A x) {
    s.sum += x;
  }
  template <class A>
  static void merge(State<A>& s, const State<A>& other) {
    s.sum += other.sum;
  }
  void finish(const State<double>& s, Index, double* t) const { *t = s.sum; }
  [[nodiscard]] Pull pull(const double*, const double* dt, Index) const { return {.p = *dt}; }
};

/// An Integrate without parameters, begin, check or visit: z = factor * t.
struct LeastIntegrate : MoveOnly {
  explicit LeastIntegrate(double own_factor) : MoveOnly(0), factor(own_factor) {}
  static constexpr Mixing mixing = Mixing::none;
  static constexpr Index in = 1;
  static constexpr Index out = 1;
  struct Tape {};

  double factor;

  void infer(Index, std::span<const double> t, std::span<double> z) const { scale(t, z); }
  void forward(Index, std::span<const double> t, std::span<double> z, Tape&) { scale(t, z); }
  void backward(Index, std::span<const double>, std::span<const double> dz, std::span<double> dt, Tape&) {
    scale(dz, dt);
  }

 private:
  void scale(std::span<const double> from, std::span<double> to) const {
    for (std::size_t i = 0; i < from.size(); ++i) to[i] = factor * from[i];
  }
};

/// A Gate: y = z x.
struct LeastGate : MoveOnly {
  using MoveOnly::MoveOnly;
  static constexpr Index width = 1;
  [[nodiscard]] Affine open(const double* z) const { return {.scale = *z}; }
  void pull(const double*, const Affine& grad, double* dz) const { *dz = grad.scale; }
};

/// A Backend and its Team: plain loops, everything in parts of three elements that are merged.
struct LeastBackend : MoveOnly {
  using MoveOnly::MoveOnly;

  struct Team : MoveOnly {
    using MoveOnly::MoveOnly;

    template <class T>
    using accumulator = double;

    template <class Reducer, class... T>
    [[nodiscard]] auto reduce(const Reducer&, Index count, const T*... in) const {
      auto whole = Reducer::start(static_cast<double>(*in)...);
      for (Index first = 0; first < count; first += 3) {
        auto part = Reducer::start(static_cast<double>(*in)...);
        for (Index k = first; k < first + 3 && k < count; ++k) Reducer::add(part, static_cast<double>(in[k])...);
        Reducer::merge(whole, part);
      }
      return whole;
    }

    template <class Out, class F, class... T>
    void map(Index count, Out* out, const F& f, const T*... in) const {
      for (Index k = 0; k < count; ++k) out[k] = static_cast<Out>(static_cast<float>(f(static_cast<double>(in[k])...)));
    }
  };

  static constexpr bool fuses_groups = true;

  template <class Program>
  void walk(Index groups, Index, const Program& program) const {
    const Team team(0);
    for (Index g = groups; g-- > 0;) program(team, g);
  }
};

/// A tensor type that knows nothing of recal: its numbers and four sizes.
struct LeastTensor : MoveOnly {
  LeastTensor(Index n, Index c, Index h, Index w)
      : MoveOnly(0), sizes{n, c, h, w}, numbers(static_cast<std::size_t>(n * c * h * w)) {}
  Index sizes[4];
  std::vector<float> numbers;
};

}  // namespace recal::testing

template <>
struct recal::tensor_traits<recal::testing::LeastTensor> {
  using scalar = float;
  using layout = row_major_planes;
  template <class X>
  static auto view(X& x) {
    return TensorView(x.numbers.data(), Shape{x.sizes[0], x.sizes[1], x.sizes[2], x.sizes[3]});
  }
};
