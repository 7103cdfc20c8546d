// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include <doctest/doctest.h>

#include <recal/integrate/channel_band.hpp>
#include <recal/integrate/channel_context.hpp>
#include <recal/integrate/channel_norm.hpp>
#include <recal/integrate/channel_wise.hpp>
#include <recal/integrate/identity.hpp>
#include <recal/integrate/integrate.hpp>
#include <recal/integrate/mlp.hpp>
#include <recal/integrate/rectify.hpp>
#include <recal/integrate/response_norm.hpp>

#include "tests/support/archetypes.hpp"

using recal::Index;
using recal::Integrate;
using recal::Mixing;
using recal::Mode;

namespace {

static_assert(Integrate<recal::Identity> && Integrate<recal::Rectify> && Integrate<recal::testing::LeastIntegrate>);
static_assert(Integrate<recal::ChannelWise<float, 2>> && Integrate<recal::ChannelNorm<double>>);
static_assert(Integrate<recal::Mlp<float>> && Integrate<recal::ChannelBand<float>>);
static_assert(Integrate<recal::ChannelContext<double>> && Integrate<recal::ResponseNorm<double>>);
static_assert(!Integrate<int>);

struct NoBackward {
  static constexpr Mixing mixing = Mixing::none;
  static constexpr Index in = 1;
  static constexpr Index out = 1;
  using Tape = recal::NoTape;
  void infer(Index, std::span<const double>, std::span<double>) const {}
  void forward(Index, std::span<const double>, std::span<double>, Tape&) {}
};

struct InfersAndChangesItself : recal::Identity {
  void infer(Index, std::span<const double>, std::span<double>) {}
};

struct MixesByName : recal::Identity {
  static constexpr const char* mixing = "channels";
};

static_assert(!Integrate<NoBackward> && !Integrate<InfersAndChangesItself> && !Integrate<MixesByName>);

struct MixesChannels : recal::Identity {
  static constexpr Mixing mixing = Mixing::channels;
};

static_assert(recal::detail::Planewise<recal::Identity> && recal::detail::Planewise<recal::Rectify>);
static_assert(!recal::detail::Planewise<MixesChannels> && !recal::detail::Planewise<recal::testing::LeastIntegrate>);
static_assert(!recal::detail::Planewise<recal::ChannelNorm<double>>);

struct BlocksOfSamples : recal::ChannelNorm<double> {
  static constexpr Mixing mixing = Mixing::channels;
};

static_assert(recal::detail::IntegrateBlocks<recal::ChannelNorm<double>>);
static_assert(recal::detail::IntegrateBlocks<recal::ChannelWise<float, 2>>);
static_assert(!recal::detail::IntegrateBlocks<recal::Identity> && !recal::detail::IntegrateBlocks<recal::Mlp<float>>);
static_assert(!recal::detail::IntegrateBlocks<BlocksOfSamples>);

using enum Mixing;
static_assert(recal::combine(none, none) == none);
static_assert(recal::combine(none, samples) == samples && recal::combine(samples, none) == samples);
static_assert(recal::combine(none, channels) == channels && recal::combine(channels, none) == channels);
static_assert(recal::combine(channels, channels) == channels);
static_assert(recal::needs_phases(samples, channels) && recal::needs_phases(channels, samples));
static_assert(!recal::needs_phases(none, channels) && !recal::needs_phases(samples, none));
static_assert(!recal::needs_phases(samples, samples) && !recal::needs_phases(none, none));

/// Counts the calls of the optional members.
struct WithOptions : recal::Identity {
  mutable int checks = 0;
  mutable int begins = 0;
  int sums = 0;
  void check(Index channels, Index rows, bool training) const { checks += channels == 3 && rows == 4 && training; }
  void begin(Index groups, Index rows, Mode mode, Tape&) const {
    begins += groups == 3 && rows == 4 && mode == Mode::frozen;
  }
  void parameter_gradients(Index groups, std::span<const double>, std::span<const double>, Tape&) {
    sums += groups == 3;
  }
};

}  // namespace

TEST_CASE("the optional members are called where there are any, with what was given") {
  recal::NoTape tape;
  WithOptions with;
  recal::detail::check_rows(with, 3, 4, true);
  recal::detail::begin_tape(with, 3, 4, Mode::frozen, tape);
  recal::detail::add_parameter_gradients(with, 3, {}, {}, tape);
  CHECK(with.checks == 1);
  CHECK(with.begins == 1);
  CHECK(with.sums == 1);
}

TEST_CASE("and are not asked for where there are none") {
  recal::NoTape tape;
  recal::Identity without;
  CHECK_NOTHROW(recal::detail::check_rows(without, 3, 4, true));
  CHECK_NOTHROW(recal::detail::begin_tape(without, 3, 4, Mode::train, tape));
  CHECK_NOTHROW(recal::detail::add_parameter_gradients(without, 3, {}, {}, tape));
}
