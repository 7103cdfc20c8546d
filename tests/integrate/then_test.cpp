// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/integrate/channel_context.hpp>
#include <recal/integrate/channel_norm.hpp>
#include <recal/integrate/channel_wise.hpp>
#include <recal/integrate/mlp.hpp>
#include <recal/integrate/rectify.hpp>
#include <recal/integrate/response_norm.hpp>
#include <recal/integrate/then.hpp>

#include "tests/support/integrate_check.hpp"

using recal::Buffer;
using recal::ChannelNorm;
using recal::ChannelWise;
using recal::Index;
using recal::Mixing;
using recal::Mlp;
using recal::Mode;
using recal::Rectify;
using recal::Then;
using namespace recal::testing;

namespace {

using Styles = Then<ChannelWise<double, 3>, ChannelNorm<double>>;
using Excite = Then<Rectify, Mlp<double>>;
using Long = Then<Then<Mlp<double>, Rectify>, recal::ResponseNorm<double>>;

static_assert(recal::Integrate<Styles> && Styles::in == 3 && Styles::out == 1 && Styles::mixing == Mixing::samples);
static_assert(recal::Integrate<Excite> && Excite::mixing == Mixing::channels);
static_assert(recal::Integrate<Long> && Long::in == 1 && Long::out == 2 && Long::mixing == Mixing::channels);
static_assert(Then<Rectify, Rectify>::mixing == Mixing::none);

Styles styles(Index channels) {
  Styles chain{ChannelWise<double, 3>(channels), ChannelNorm<double>(channels)};
  randomise(chain);
  return chain;
}

}  // namespace

TEST_CASE("a chain is its second on its first") {
  const Styles chain = styles(2);
  for (const Mode mode : {Mode::train, Mode::frozen}) {
    const IntegrateCase c{.groups = 2, .rows = 5, .mode = mode};
    const IntegrateWalk walk(chain, c);
    const IntegrateWalk first(chain.first, c);
    IntegrateWalk second(chain.second, c);
    second.t = first.forward();
    CHECK(walk.forward() == second.forward());
    CHECK(walk.infer() == second.infer());
  }
}

TEST_CASE("a chain takes blocks of channels where both do") {
  static_assert(recal::detail::IntegrateBlocks<Styles> && !recal::detail::IntegrateBlocks<Excite>);
  static_assert(!recal::detail::IntegrateBlocks<Then<ChannelNorm<double>, Rectify>>);
  for (const Mode mode : {Mode::train, Mode::frozen})
    for (const Index channels : {1, 19})
      CHECK(IntegrateWalk(styles(channels), {.groups = channels, .rows = 9, .mode = mode}).block_error() < 1e-13);
}

TEST_CASE("gradients of chains are those of difference quotients") {
  for (const Mode mode : {Mode::train, Mode::frozen})
    CHECK(IntegrateWalk(styles(3), {.groups = 3, .rows = 6, .mode = mode}).gradient_error() < 1e-7);

  Excite excite{Rectify{}, Mlp<double>(6, 4)};
  randomise(excite);
  CHECK(IntegrateWalk(excite, {.groups = 3, .rows = 6}).gradient_error() < 1e-8);

  Long three{{Mlp<double>(6, 4), Rectify{}}, recal::ResponseNorm<double>(6)};
  randomise(three, 0.1, 1);
  CHECK(IntegrateWalk(three, {.groups = 3, .rows = 6, .lo = 0.1}).gradient_error() < 1e-8);
}

TEST_CASE("both are asked whether they take the rows") {
  CHECK_THROWS_AS(styles(2).check(2, 1, true), recal::error);
  CHECK_NOTHROW(styles(2).check(2, 1, false));
  const Then<ChannelNorm<double>, Rectify> other{ChannelNorm<double>(2), Rectify{}};
  CHECK_THROWS_AS(other.check(2, 1, true), recal::error);
}

TEST_CASE("names: a batch norm in a chain is called bn, others keep theirs") {
  CHECK(leaf_names(styles(2)) == std::vector<std::string>{"cfc", "bn.weight", "bn.bias", "bn.running_mean",
                                                          "bn.running_var", "bn.num_batches_tracked"});
  CHECK(leaf_names(Excite{Rectify{}, Mlp<double>(4, 2)}) ==
        std::vector<std::string>{"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"});
}

TEST_CASE("a chain adds gradients of parameters at the end where one of its two does") {
  static_assert(recal::detail::ParametersAtEnd<Excite>);
  static_assert(recal::detail::ParametersAtEnd<Long>);
  static_assert(!recal::detail::ParametersAtEnd<Styles>);
}

TEST_CASE("groups of any size go through at inference") {
  Styles chain = styles(2);
  recal::Buffer<double> t(3 * 100);
  for (std::size_t i = 0; i < t.size(); ++i) t[i] = 0.01 * static_cast<double>(i);
  recal::Buffer<double> together(100);
  recal::Buffer<double> apart(100);
  chain.infer(1, t, together);
  for (std::size_t row = 0; row < 100; ++row)
    chain.infer(1, std::span(t).subspan(3 * row, 3), std::span(apart).subspan(row, 1));
  CHECK(together == apart);
  CHECK(together[99] != together[0]);
}

TEST_CASE("empty groups go through") {
  Styles chain = styles(2);
  Styles::Tape tape;
  chain.begin(2, 0, Mode::train, tape);
  chain.forward(1, {}, {}, tape);
  chain.backward(1, {}, {}, {}, tape);
  recal::for_each_parameter(chain, [](const auto& parameter) {
    for (const double value : parameter.grad) CHECK(value == 0);
  });
}
