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
  static constexpr bool in_blocks = detail::IntegrateBlocks<First> && detail::IntegrateBlocks<Second>;

  struct Tape {
    typename First::Tape first;
    typename Second::Tape second;
    Index rows = 0;
    Buffer<double> between;       // (groups, rows, First::out)
    Buffer<double> grad_between;  // the same

    /// The rows of the groups from `group` on.
    [[nodiscard]] std::span<double> middle(Buffer<double>& all, Index group, Index groups = 1) const {
      const Index count = rows * First::out;
      return {all.data() + group * count, static_cast<std::size_t>(groups * count)};
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
    with_between(t.size(), [&](std::span<double> between) {
      first.infer(group, t, between);
      second.infer(group, between, z);
    });
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

  void infer_block(Index channel, Index channels, std::span<const double> t,
                   std::span<double> z) const requires in_blocks {
    with_between(t.size(), [&](std::span<double> between) {
      first.infer_block(channel, channels, t, between);
      second.infer_block(channel, channels, between, z);
    });
  }

  void forward_block(Index channel, Index channels, std::span<const double> t, std::span<double> z,
                     Tape& tape) requires in_blocks {
    const auto between = tape.middle(tape.between, channel, channels);
    first.forward_block(channel, channels, t, between, tape.first);
    second.forward_block(channel, channels, between, z, tape.second);
  }

  void backward_block(Index channel, Index channels, std::span<const double> t, std::span<const double> dz,
                      std::span<double> dt, Tape& tape) requires in_blocks {
    const auto between = tape.middle(tape.between, channel, channels);
    const auto grad_between = tape.middle(tape.grad_between, channel, channels);
    second.backward_block(channel, channels, between, dz, grad_between, tape.second);
    first.backward_block(channel, channels, t, grad_between, dt, tape.first);
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
  /// Numbers that need no memory of the thread's.
  static constexpr std::size_t few = 64;

  /// f(between), with room for what `styles` numbers become between the two.
  template <class F>
  static void with_between(std::size_t styles, const F& f) {
    const std::size_t count = styles / First::in * First::out;
    if (count <= few) {
      std::array<double, few> between;  // NOLINT(cppcoreguidelines-pro-type-member-init): written by the first
      return f(std::span(between).first(count));
    }
    Kept<Buffer<double>> between;
    between->resize(count);
    f(std::span<double>(*between));
  }
};

}  // namespace recal
