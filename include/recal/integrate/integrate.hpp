// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <span>
#include <utility>

#include <recal/core/shape.hpp>

namespace recal {

/// Whose styles an integration looks at beside a plane's own. It decides the walk over memory:
///   none      nobody's; planes are independent
///   samples   those of the same channel in other samples (batch norm over N): channel by channel
///   channels  those of the same sample in other channels (an MLP): sample by sample
enum class Mixing { none, samples, channels };

/// The mixing of two policies one after the other. Two different mixings need the whole tensor
/// between them; see recal::needs_phases.
[[nodiscard]] constexpr Mixing combine(Mixing a, Mixing b) { return a == Mixing::none ? b : a; }

/// Whether one walk, group by group, cannot serve both.
[[nodiscard]] constexpr bool needs_phases(Mixing a, Mixing b) {
  return a != Mixing::none && b != Mixing::none && a != b;
}

/// What running statistics do in a forward pass that will be differentiated.
enum class Mode {
  train,  ///< statistics come from the batch, running statistics are updated
  frozen  ///< statistics are the running ones, which stay as they are
};

/// The tape of an integration that saves nothing.
struct NoTape {};

/// An integration turns the styles t of a group of planes into the numbers z that a gate takes:
///
///   static constexpr Mixing mixing;
///   static constexpr Index in, out;          numbers per plane: t has rows of `in`, z rows of `out`
///   using Tape = ...;                        what backward needs; recal::NoTape if that is nothing
///   void infer(Index group, std::span<const double> t, std::span<double> z) const;
///   void forward(Index group, std::span<const double> t, std::span<double> z, Tape&);
///   void backward(Index group, std::span<const double> t, std::span<const double> dz, std::span<double> dt, Tape&);
///   template <class Self, class V> static void visit(Self&, V&&);        its parameters (core/visit.hpp)
///
/// A group is a channel (rows are its samples) for Mixing::none and ::samples, and a sample (rows
/// are its channels) for Mixing::channels. Groups run at once. So parameter gradients are added
///   in backward()                                           where a group is a channel, and
///   in parameter_gradients(Index groups, t, dz, Tape&)      (all groups' rows) where it is a sample.
/// Optional: begin(Index groups, Index rows, Mode, Tape&) const makes room before the groups run;
/// check(Index channels, Index rows, bool training) const refuses shapes by throwing recal::error;
/// infer_groups(Index first, Index count, t, z) const, forward_groups(Index first, Index count, t, z, Tape&) and
/// backward_groups(Index first, Index count, t, dz, dt, Tape&) do the groups [first, first + count), of which t, z, dz
/// and dt are the rows, where that is cheaper than one by one and gives the same;
/// infer_block(Index first, Index channels, t, z) const, forward_block(Index first, Index channels, t, z, Tape&) and
/// backward_block(Index first, Index channels, t, dz, dt, Tape&), where a group is a channel, do the channels [first,
/// first + channels), whose rows lie sample by sample: those of all of them in the first sample, then in the second. So
/// channels can be worked on in the lanes of a register. What a tape holds belongs to the blocks it was filled by;
/// static constexpr bool planewise = true, with Mixing::none, says that a row of z follows from that row of t, whatever
/// the group, and that there are neither parameters nor a tape: then calls get any rows. See docs/own_policy.md.
template <class I>
concept Integrate = requires(I integrate, const I fixed, Index group, std::span<const double> in, std::span<double> out,
                             typename I::Tape tape) {
  { I::mixing } -> std::convertible_to<Mixing>;
  { I::in } -> std::convertible_to<Index>;
  { I::out } -> std::convertible_to<Index>;
  fixed.infer(group, in, out);
  integrate.forward(group, in, out, tape);
  integrate.backward(group, in, in, out, tape);
};

namespace detail {

template <class I>
void check_rows(const I& integrate, Index channels, Index rows, bool training) {
  if constexpr (requires { integrate.check(channels, rows, training); }) integrate.check(channels, rows, training);
}

template <class I>
void begin_tape(const I& integrate, Index groups, Index rows, Mode mode, typename I::Tape& tape) {
  if constexpr (requires { integrate.begin(groups, rows, mode, tape); }) integrate.begin(groups, rows, mode, tape);
}

/// Whether an integration has a way of its own to do several groups at once.
template <class I>
concept IntegrateGroups = requires(I integrate, Index group, std::span<const double> in, std::span<double> out,
                                   typename I::Tape tape) {
  std::as_const(integrate).infer_groups(group, group, in, out);
  integrate.forward_groups(group, group, in, out, tape);
  integrate.backward_groups(group, group, in, in, out, tape);
};

/// Whether an integration takes the rows of a block of channels sample by sample.
template <class I>
concept IntegrateBlocks = requires(I integrate, Index channel, std::span<const double> in, std::span<double> out,
                                   typename I::Tape tape) {
  requires I::mixing != Mixing::channels;
  std::as_const(integrate).infer_block(channel, channel, in, out);
  integrate.forward_block(channel, channel, in, out, tape);
  integrate.backward_block(channel, channel, in, in, out, tape);
};

/// Whether every plane is a group by itself.
template <class I>
concept Planewise = requires {
  requires I::planewise && I::mixing == Mixing::none;
};

/// Whether an integration adds gradients of parameters when all groups are through.
template <class I>
concept ParametersAtEnd = requires(I integrate, Index groups, std::span<const double> rows, typename I::Tape tape) {
  integrate.parameter_gradients(groups, rows, rows, tape);
};

template <class I>
void add_parameter_gradients(I& integrate, Index groups, std::span<const double> t, std::span<const double> dz,
                             typename I::Tape& tape) {
  if constexpr (ParametersAtEnd<I>) integrate.parameter_gradients(groups, t, dz, tape);
}

}  // namespace detail

}  // namespace recal
