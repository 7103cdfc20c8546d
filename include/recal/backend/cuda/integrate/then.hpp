// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/backend/cuda/integrate/integrate.hpp>
#include <recal/integrate/then.hpp>

namespace recal::cuda {

/// Two integrations, one after the other: recal::Then. What the first gives to the second is kept on the tape.
template <class First, class Second>
struct Then {
  static_assert(First::out == Second::in, "recal: Then<First, Second>: Second::in must equal First::out");
  static_assert(!needs_phases(First::mixing, Second::mixing),
                "recal: Then<First, Second>: one mixes samples and the other channels; no single walk serves both");

  static constexpr Mixing mixing = combine(First::mixing, Second::mixing);
  static constexpr Index in = First::in;
  static constexpr Index out = Second::out;

  struct Tape {
    typename First::Tape first;
    typename Second::Tape second;
    DeviceBuffer<double> between;       // (groups, rows, First::out)
    DeviceBuffer<double> grad_between;  // the same
  };

  struct View {
    typename First::View first;
    typename Second::View second;
    double* between;
    double* grad_between;

    template <class Lanes>
    RECAL_HOST_DEVICE void forward(const Lanes& lanes, Index group, Index rows, const double* t, double* z) const {
      double* middle = between + group * rows * First::out;
      first.forward(lanes, group, rows, t, middle);
      lanes.sync();
      second.forward(lanes, group, rows, static_cast<const double*>(middle), z);
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void backward(const Lanes& lanes, Index group, Index rows, const double* t, const double* dz,
                                    double* dt) const {
      const double* middle = between + group * rows * First::out;
      double* grad_middle = grad_between + group * rows * First::out;
      second.backward(lanes, group, rows, middle, dz, grad_middle);
      lanes.sync();
      first.backward(lanes, group, rows, t, static_cast<const double*>(grad_middle), dt);
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void gradients(const Lanes& lanes, Index block, Index blocks, Index groups, Index rows,
                                     const double* t, const double* dz) const {
      if constexpr (requires { first.gradients(lanes, block, blocks, groups, rows, t, dz); })
        first.gradients(lanes, block, blocks, groups, rows, t, static_cast<const double*>(grad_between));
      if constexpr (requires { second.gradients(lanes, block, blocks, groups, rows, t, dz); })
        second.gradients(lanes, block, blocks, groups, rows, static_cast<const double*>(between), dz);
    }

    [[nodiscard]] Index gradient_blocks(Index rows) const {
      Index blocks = 1;
      if constexpr (requires { first.gradient_blocks(rows); }) blocks = first.gradient_blocks(rows);
      if constexpr (requires { second.gradient_blocks(rows); }) blocks = std::max(blocks, second.gradient_blocks(rows));
      return blocks;
    }
  };

  First first;
  Second second;

  void check(Index channels, Index rows, bool training) const {
    recal::detail::check_rows(first, channels, rows, training);
    recal::detail::check_rows(second, channels, rows, training);
  }

  template <Machine M>
  void begin(const M& machine, Index groups, Index rows, Tape& tape) const {
    first.begin(machine, groups, rows, tape.first);
    second.begin(machine, groups, rows, tape.second);
    tape.between.resize(machine, groups * rows * First::out);
    tape.grad_between.resize(machine, groups * rows * First::out);
  }

  [[nodiscard]] View view(Pass pass, Tape& tape) const {
    return {first.view(pass, tape.first), second.view(pass, tape.second), tape.between.data(),
            tape.grad_between.data()};
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(name_in_chain<First>, self.first);
    v(name_in_chain<Second>, self.second);
  }
};

}  // namespace recal::cuda
