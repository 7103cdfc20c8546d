// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <recal/core/buffer.hpp>
#include <recal/core/kept.hpp>
#include <recal/integrate/integrate.hpp>

namespace recal {

/// A name that a policy's parameters get in front when it is one of several; none unless it says so.
template <class Policy>
inline constexpr std::string_view name_in_chain = "";

/// Two integrations, one after the other: z = second(first(t)).
/// requires: they mix the same way, or one of them does not mix
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
    Index rows = 0;
    Buffer<double> between;       // (groups, rows, First::out)
    Buffer<double> grad_between;  // the same

    [[nodiscard]] std::span<double> middle(Buffer<double>& all, Index group) const {
      const auto count = static_cast<std::size_t>(rows * First::out);
      return {all.data() + static_cast<std::size_t>(group) * count, count};
    }
  };

  First first;
  Second second;

  void check(Index channels, Index rows, bool training) const {
    detail::check_rows(first, channels, rows, training);
    detail::check_rows(second, channels, rows, training);
  }

  void begin(Index groups, Index rows, Mode mode, Tape& tape) const {
    detail::begin_tape(first, groups, rows, mode, tape.first);
    detail::begin_tape(second, groups, rows, mode, tape.second);
    tape.rows = rows;
    resize(tape.between, groups * rows * First::out);
    resize(tape.grad_between, groups * rows * First::out);
  }

  void infer(Index group, std::span<const double> t, std::span<double> z) const {
    const std::size_t count = t.size() / First::in * First::out;
    if (count <= few) {
      std::array<double, few> between;  // NOLINT(cppcoreguidelines-pro-type-member-init): written by the first
      return infer_through(group, t, std::span(between).first(count), z);
    }
    Kept<Buffer<double>> between;
    between->resize(count);
    infer_through(group, t, *between, z);
  }

  void forward(Index group, std::span<const double> t, std::span<double> z, Tape& tape) {
    const auto between = tape.middle(tape.between, group);
    first.forward(group, t, between, tape.first);
    second.forward(group, between, z, tape.second);
  }

  void backward(Index group, std::span<const double> t, std::span<const double> dz, std::span<double> dt, Tape& tape) {
    const auto grad_between = tape.middle(tape.grad_between, group);
    second.backward(group, tape.middle(tape.between, group), dz, grad_between, tape.second);
    first.backward(group, t, grad_between, dt, tape.first);
  }

  void parameter_gradients(Index groups, std::span<const double> t, std::span<const double> dz,
                           Tape& tape) requires detail::ParametersAtEnd<First> || detail::ParametersAtEnd<Second> {
    detail::add_parameter_gradients(second, groups, tape.between, dz, tape.second);
    detail::add_parameter_gradients(first, groups, t, tape.grad_between, tape.first);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(name_in_chain<First>, self.first);
    v(name_in_chain<Second>, self.second);
  }

 private:
  /// Numbers of a group that need no memory of the thread's.
  static constexpr std::size_t few = 64;

  void infer_through(Index group, std::span<const double> t, std::span<double> between, std::span<double> z) const {
    first.infer(group, t, between);
    second.infer(group, between, z);
  }
};

}  // namespace recal
