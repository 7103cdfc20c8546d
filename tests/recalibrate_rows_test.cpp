// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/identity.hpp>
#include <recal/pool/l2.hpp>
#include <recal/pool/max.hpp>
#include <recal/pool/mean.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/recalibrate_rows.hpp>

using namespace recal;

namespace {

/// Adds 1 to t, doubles z's gradient.
struct Counting {
  static constexpr Mixing mixing = Mixing::samples;
  static constexpr Index in = 1;
  static constexpr Index out = 1;
  using Tape = NoTape;

  void infer(Index, std::span<const double> t, std::span<double> z) const {
    for (std::size_t i = 0; i < t.size(); ++i) z[i] = t[i] + 1;
  }
  void forward(Index, std::span<const double> t, std::span<double> z, Tape&) { infer(0, t, z); }
  void backward(Index, std::span<const double>, std::span<const double> dz, std::span<double> dt, Tape&) {
    for (std::size_t i = 0; i < dz.size(); ++i) dt[i] = 2 * dz[i];
  }
};

/// Has a parameter whose gradient it adds at the end.
struct CountingAtEnd : Counting {
  double gradient = 0;

  void parameter_gradients(Index groups, std::span<const double> t, std::span<const double> dz, NoTape&) {
    CHECK(groups == 3);
    for (std::size_t i = 0; i < t.size(); ++i) gradient += t[i] * dz[i];
  }
};

/// Gets blocks of channels, and notes them in z.
struct CountingBlocks : Counting {
  void infer_block(Index first, Index channels, std::span<const double> t, std::span<double> z) const {
    CHECK(t.size() == static_cast<std::size_t>(2 * channels));
    for (double& value : z) value = static_cast<double>(10 * first + channels);
  }
  void forward_block(Index first, Index channels, std::span<const double> t, std::span<double> z, Tape&) {
    infer_block(first, channels, t, z);
  }
  void backward_block(Index first, Index channels, std::span<const double>, std::span<const double> dz,
                      std::span<double> dt, Tape&) {
    infer_block(first, channels, dz, dt);
  }
};

struct CountingTape : RowTape {
  NoTape integrate;
};

constexpr Shape six_planes{2, 3, 4, 4};
const Groups three_groups{six_planes, Mixing::samples};

}  // namespace

TEST_CASE("room for the numbers of some rows, counted from the first of them") {
  GateRows gates;
  gates.cover(4, 10, 2, 1);
  CHECK(gates.begin == 4);
  CHECK(gates.style.size() == 12);
  CHECK(gates.excitation.size() == 6);
  CHECK(gates.gate.size() == 6);
  PullRows pulls;
  pulls.cover(2, 5, 1, 2);
  CHECK(pulls.begin == 2);
  CHECK(pulls.grad_style.size() == 3);
  CHECK(pulls.grad_excitation.size() == 6);
  CHECK(pulls.grad_gate.size() == 3);
}

TEST_CASE("rows of one's own keep their memory from one use to the next, and nest") {
  const double* memory = nullptr;
  {
    OwnRows<PullRows> rows(0, 100, 1, 1);
    memory = (*rows).grad_style.data();
    OwnRows<PullRows> inner(0, 100, 1, 1);
    CHECK((*inner).grad_style.data() != memory);
  }
  OwnRows<PullRows> first(7, 107, 1, 1);
  OwnRows<PullRows> second(7, 107, 1, 1);
  CHECK(((*first).grad_style.data() == memory) != ((*second).grad_style.data() == memory));
  CHECK((*first).begin == 7);
}

TEST_CASE("the steps between passes find rows where they are: in a tape, or from the first of some on") {
  const Sigmoid gate;
  Counting integrate;
  CountingTape tape;
  tape.cover(0, 6, 1, 1);
  for (Index i = 0; i < 6; ++i) at(tape.style, i) = static_cast<double>(i);
  detail::forward_step(integrate, gate, three_groups).some(0, 3, tape);

  GateRows some;
  some.cover(2, 6, 1, 1);
  for (Index i = 0; i < 4; ++i) at(some.style, i) = static_cast<double>(2 + i);
  detail::infer_step(integrate, gate, three_groups).some(1, 3, some);

  PullRows all;
  all.cover(0, 6, 1, 1);
  PullRows part;
  part.cover(2, 6, 1, 1);
  for (Index i = 0; i < 6; ++i) at(all.grad_gate, i) = {.scale = 1.0 + static_cast<double>(i), .shift = 0};
  for (Index i = 0; i < 4; ++i) at(part.grad_gate, i) = at(all.grad_gate, 2 + i);
  detail::backward_step(integrate, gate, three_groups, tape).all(Reference{}, all);
  detail::backward_step(integrate, gate, three_groups, tape).some(1, 3, part);
  const Mean pool;
  const detail::PulledRows<Mean> of_all{pool, 16, tape, all};
  const detail::PulledRows<Mean> of_part{pool, 16, tape, part};

  for (Index row = 0; row < 6; ++row) {
    const double z = static_cast<double>(row) + 1;
    const double s = 1 / (1 + std::exp(-z));
    CHECK(at(tape.gate, row).scale == doctest::Approx(s).epsilon(1e-14));
    CHECK(of_all.scale<double>(row) == at(tape.gate, row).scale);
    CHECK(of_all.pull<double>(row).p ==
          doctest::Approx(2 * (1.0 + static_cast<double>(row)) * s * (1 - s) / 16).epsilon(1e-13));
    if (row < 2) continue;
    CHECK(at(some.gate, row - 2).scale == at(tape.gate, row).scale);
    CHECK(of_part.pull<double>(row).p == of_all.pull<double>(row).p);
  }
}

TEST_CASE_TEMPLATE("what is pulled from the planes of several rows is what is pulled from each", P, Mean, MeanStd, Max,
                   L2) {
  static_assert(detail::PulledRows<P>::packs);
  using Lanes = pack_for<double>;
  const P pool;
  CountingTape tape;
  tape.cover(0, 32, P::width, 1);
  PullRows rows;
  rows.cover(5, 32, P::width, 1);
  for (std::size_t i = 0; i < tape.style.size(); ++i)
    tape.style[i] = i == 24 ? 0.0 : 1.0 + 0.1 * static_cast<double>(i);
  for (std::size_t i = 0; i < rows.grad_style.size(); ++i) rows.grad_style[i] = 0.3 * static_cast<double>(i) - 2;
  for (Index row = 0; row < 32; ++row) at(tape.gate, row) = {.scale = 100.0 + static_cast<double>(row), .shift = -1};
  for (const Index count : {1, 49}) {
    const detail::PulledRows<P> pulled{pool, count, tape, rows};
    const auto several = pulled.template pull<Lanes>(20);
    const auto scales = pulled.template scale<Lanes>(20);
    for (int lane = 0; lane < Lanes::lanes; ++lane) {
      const Pull one = pulled.template pull<double>(20 + lane);
      CHECK(several.p.v[lane] == doctest::Approx(one.p).epsilon(1e-15));
      CHECK(several.q.v[lane] == doctest::Approx(one.q).epsilon(1e-15));
      CHECK(several.centre.v[lane] == one.centre);
      CHECK(several.pick.v[lane] == one.pick);
      CHECK(several.picked.v[lane] == one.picked);
      CHECK(scales.v[lane] == 120.0 + lane);
    }
  }
}

TEST_CASE("integrations that take blocks of channels get them as they lie, in one go or block by block") {
  const Groups groups{{2, 7, 1, 1}, Mixing::samples, false, 3};
  const Buffer<double> expected{3, 3, 3, 3, 3, 3, 33, 33, 33, 33, 33, 33, 61, 61};
  const Sigmoid gate;
  CountingBlocks integrate;
  CountingTape tape;
  tape.cover(0, 14, 1, 1);
  PullRows pulls;
  pulls.cover(0, 14, 1, 1);
  const auto forward = detail::forward_step(integrate, gate, groups);
  const auto check = [&](auto& numbers) {
    CHECK(numbers == expected);
    numbers.assign(14, 0.0);
  };
  forward.all(Cpu{}, tape);
  check(tape.excitation);
  for (const Index first : {0, 3, 6}) forward.some(first, std::min<Index>(7, first + 3), tape);
  check(tape.excitation);
  detail::infer_step(integrate, gate, groups).all(Reference{}, tape);
  check(tape.excitation);
  detail::backward_step(integrate, gate, groups, tape).all(Cpu{}, pulls);
  check(pulls.grad_style);
}

TEST_CASE("blocks of channels are as wide as the walk's where an integration takes them") {
  const Shape shape{8, 512, 7, 7};
  CHECK(detail::groups_of<CountingBlocks>(shape).block == ChannelBlock::width(shape));
  CHECK(detail::groups_of<Counting>(shape).block == 1);
  CHECK(detail::channels_of<Identity>(shape).block == ChannelBlock::width(shape));
  CHECK_FALSE(detail::channels_of<Identity>(shape).planewise);
  CHECK(detail::groups_of<Identity>(shape).planewise);
}

TEST_CASE("rows of a backward pass are all there for integrations that add gradients of parameters at the end") {
  CountingTape tape;
  tape.cover(0, 6, 1, 1);
  for (Index i = 0; i < 6; ++i) at(tape.style, i) = static_cast<double>(i);
  CountingAtEnd at_end;
  detail::with_pull_rows<PullRows, Mean>(at_end, three_groups, tape, [](const auto& rows_of) {
    PullRows& rows = *rows_of(2, 4);
    CHECK(rows.begin == 0);
    CHECK(rows.grad_excitation.size() == 6);
    CHECK(&*rows_of(0, 2) == &rows);
    rows.grad_excitation.assign(6, 3.0);
  });
  CHECK(at_end.gradient == 45);
  Counting others;
  detail::with_pull_rows<PullRows, Mean>(others, three_groups, tape, [](const auto& rows_of) {
    auto rows = rows_of(2, 4);
    CHECK((*rows).begin == 2);
    CHECK((*rows).grad_excitation.size() == 2);
  });
}

TEST_CASE("pieces cover all items once, a piece of at least one item") {
  for (const Index count : {0, 1, 511, 512, 513, 5000})
    for (const Index rows : {0, 1, 8, 512, 100000}) {
      std::vector<int> seen(static_cast<std::size_t>(count), 0);
      const auto mark = [&](Index first, Index last) {
        for (Index i = first; i < last; ++i) ++at(seen, i);
      };
      detail::walk_pieces(Cpu{}, count, rows, mark);
      detail::walk_pieces(Reference{}, count, rows, mark);
      CHECK(seen == std::vector<int>(static_cast<std::size_t>(count), 2));
    }
}
