// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/backend.hpp>
#include <recal/backend/channel_block.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/dots.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/core/tensor.hpp>
#include <recal/fused/channel_walk.hpp>
#include <recal/fused/tail_module.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/pool/moments_and_extremes.hpp>
#include <recal/pool/moments_sink.hpp>
#include <recal/pool/plane_moments.hpp>
#include <recal/recalibrate_passes.hpp>
#include <recal/recalibrate_planes.hpp>
#include <recal/recalibrate_rows.hpp>

namespace recal {

/// What the backward pass of a residual tail needs besides x, out and the tapes of norm and module: N*C of each, in the
/// order of the module's rows.
struct ResidualTailTape {
  struct Moments {
    double mean;
    double squares;
  };
  struct Extremes {
    double smallest;
    double largest;
  };

  Buffer<Moments> moments;
  Buffer<Extremes> extremes;  ///< for pools that look at them
};

namespace fused {

/// The numbers of rows that live within the backward pass of a residual tail.
struct TailPullRows : PullRows {
  Buffer<double> product;  // sum r (x - centre)

  void cover(Index first, Index last, Index in, Index out) {
    PullRows::cover(first, last, in, out);
    resize(product, last - first);
  }
};

}  // namespace fused

/// The end of a residual block with a module, in as many passes over memory as without one:
///
///   y = norm(x),  s, h = gate(integrate(pool(y))) per plane,  out = max(0, s y + h + shortcut)
///
/// Batch norm is affine per channel, so the moments of a plane of x are all that both the norm and the pool need to
/// know, and norm and gate are one affine map of the plane. y is never in memory. Backward likewise: with r = dout
/// where out > 0, the sums of r and of r x per plane lead to every small gradient, and dx is affine in r and x per
/// plane.
///
/// Where the integration does not mix channels a block of channels goes through all of it while its planes are in
/// cache; where it does, one walk over the tensor follows the other.
///
/// This is a view of a norm (nn::BatchNorm2d) and a module that can_fuse_tail(), and of their tapes; it owns nothing.
/// cost: forward reads x (again from cache) and the shortcut and writes out; backward reads x, out and dout and writes
///       dshortcut and dx (reading x and dshortcut again from cache)
/// source: the algebra is in docs/design.md, "The residual tail"
template <class Norm, TailModule Module>
class ResidualTail {
  using Pool = fused::TailPool<typename Module::PoolType>;
  using Integrate = typename Module::IntegrateType;

 public:
  ResidualTail(Norm& norm, Module& module, typename Norm::Tape& norm_tape, typename Module::Tape& module_tape,
               ResidualTailTape& tape)
      : norm_(norm), module_(module), norm_tape_(norm_tape), module_tape_(module_tape), tape_(tape) {}

  /// Training mode, or with running statistics but differentiable. out may be the shortcut.
  /// errors: shapes that do not match; what norm and module refuse
  template <Backend B, class T>
  void forward(const B& backend, const TensorView<const T>& x, const TensorView<const T>& shortcut,
               const TensorView<T>& out, Mode mode) {
    check_shape("shortcut", shortcut.shape, x.shape);
    check_shape("output of a residual tail", out.shape, x.shape);
    module_.begin(x.shape, mode, module_tape_);
    if (mode == Mode::train)
      norm_.begin_batch(x.shape, norm_tape_);
    else
      norm_.begin_running(norm_tape_);
    const Groups groups = detail::channels_of<Integrate>(x.shape);
    resize(tape_.moments, groups.planes());
    resize(tape_.extremes, wants_extremes<Pool> ? groups.planes() : 0);
    if (x.shape.size() == 0) return;
    walk(
        backend, groups, [this](Index, Index) { return &module_tape_; },
        [&](const auto& team, const Channels& block, auto&) { take_moments(team, block, groups, x, mode); },
        detail::forward_step(module_.integrate(), module_.gate(), groups),
        [&](const auto& team, const Channels& block, auto&) { apply(team, block, groups, x, shortcut, out); });
  }

  /// dshortcut and dx assigned (dshortcut may be dout, dx may be out), parameter gradients added.
  /// requires: x, out and the tapes as forward() left them
  template <Backend B, class T>
  void backward(const B& backend, const TensorView<const T>& x, const TensorView<const T>& out,
                const TensorView<const T>& dout, const TensorView<T>& dshortcut, const TensorView<T>& dx) {
    check_shape("the tape", module_tape_.shape, x.shape);
    check_shape("output of a residual tail", out.shape, x.shape);
    check_shape("its gradient", dout.shape, x.shape);
    check_shape("gradient of the shortcut", dshortcut.shape, x.shape);
    check_shape("input gradient of a residual tail", dx.shape, x.shape);
    hold_gradients(norm_);
    hold_gradients(module_);
    const Groups groups = detail::channels_of<Integrate>(x.shape);
    if (x.shape.size() == 0) return;
    const auto& pool = fused::tail_pool(module_.pool());
    detail::with_pull_rows<Rows, Pool>(module_.integrate(), groups, module_tape_, [&](const auto& rows_of) {
      walk(
          backend, groups, rows_of,
          [&](const auto& team, const Channels& block, Rows& rows) {
            take_sums(team, block, groups, x, out, dout, dshortcut, rows);
          },
          detail::backward_step(pool, module_.integrate(), module_.gate(), groups, module_tape_),
          [&](const auto& team, const Channels& block, const Rows& rows) {
            pull(team, block, groups, x, TensorView<const T>(dshortcut), dx, rows);
          });
    });
  }

 private:
  using Channels = ChannelBlock;
  using Rows = fused::TailPullRows;

  /// before(block, rows), between(group, rows), after(block, rows): block by block of channels, or in three walks where
  /// a group is a sample. rows_of is that of detail::run().
  template <class B, class RowsOf, class Before, class Some, class All, class After>
  static void walk(const B& backend, const Groups& groups, const RowsOf& rows_of, const Before& before,
                   const detail::Between<Some, All>& between, const After& after) {
    if (groups.mixing == Mixing::channels || !B::fuses_groups) {
      auto&& rows = rows_of(Index{0}, groups.planes());
      walk_channels(backend, groups.shape,
                    [&](const auto& team, const Channels& block) { before(team, block, *rows); });
      between.all(backend, *rows);
      walk_channels(backend, groups.shape, [&](const auto& team, const Channels& block) { after(team, block, *rows); });
      return;
    }
    walk_channels(backend, groups.shape, [&](const auto& team, const Channels& block) {
      auto&& rows = rows_of(block.first * groups.shape.n, block.last * groups.shape.n);
      before(team, block, *rows);
      between.some(block.first, block.last, *rows);
      after(team, block, *rows);
    });
  }

  /// What the norm did to the channels of a block.
  [[nodiscard]] PerChannel<fused::ChannelAffine<double>> taped_maps(const Channels& block) const {
    PerChannel<fused::ChannelAffine<double>> maps;
    for (Index c = block.first; c < block.last; ++c) at(maps, c - block.first) = norm_.taped_map(c, norm_tape_);
    return maps;
  }

  /// f(i, row) for the planes of a block, sample by sample, of channel block.first + i each.
  template <class F>
  static void for_each_plane(const Channels& block, const Groups& groups, const F& f) {
    for (Index n = 0; n < groups.shape.n; ++n) {
      const RunRows rows = groups.rows_of({n, block.first, block.last});
      for (Index i = 0; i < block.size(); ++i) f(i, rows[i]);
    }
  }

  using Moments = std::conditional_t<wants_extremes<Pool>, MomentsAndExtremes, MeanStd>;

  template <class Team, class T>
  void take_moments(const Team& team, const Channels& block, const Groups& groups, const TensorView<const T>& x,
                    Mode mode) {
    PerChannel<fused::ChannelMoments> channels{};
    for (Index n = 0; n < x.shape.n; ++n) {
      const RunRows rows = groups.rows_of({n, block.first, block.last});
      const auto keep = [&](Index i, const PlaneMoments& plane) {
        at(tape_.moments, rows[i]) = {plane.mean, plane.squares};
        if constexpr (wants_extremes<Pool>) at(tape_.extremes, rows[i]) = {plane.smallest, plane.largest};
        at(channels, i).add(plane);
      };
      reduce_planes(team, Moments{}, x.shape.plane(), block.size(), detail::MomentsSink{x.shape.plane(), keep},
                    x.planes(n, block.first));
    }
    const auto elements = static_cast<double>(x.shape.plane());
    const double count = elements * static_cast<double>(x.shape.n);
    const auto& pool = fused::tail_pool(module_.pool());
    PerChannel<fused::ChannelAffine<double>> maps;
    for (Index c = block.first; c < block.last; ++c)
      at(maps, c - block.first) = mode == Mode::train
                                      ? norm_.batch_map(c, at(channels, c - block.first), elements, count, norm_tape_)
                                      : norm_.running_map(c, &norm_tape_);
    for_each_plane(block, groups, [&](Index i, Index row) {
      const auto& map = at(maps, i);
      pool.finish_moments(taped_moments(x.shape, row).affine(map.scale, map.shift - map.scale * map.centre),
                          module_tape_.style.data() + row * Pool::width);
    });
  }

  template <class Team, class T>
  void apply(const Team& team, const Channels& block, const Groups& groups, const TensorView<const T>& x,
             const TensorView<const T>& shortcut, const TensorView<T>& out) {
    using A = typename Team::template accumulator<T>;
    const auto maps = taped_maps(block);
    for (Index n = 0; n < x.shape.n; ++n) {
      const RunRows rows = groups.rows_of({n, block.first, block.last});
      const auto norm_and_gate = [&](Index i) {
        const Affine& gate = at(module_tape_.gate, rows[i]);
        const auto& map = at(maps, i);
        const fused::ChannelAffine<double> both{gate.scale * map.scale, map.centre,
                                                gate.scale * map.shift + gate.shift};
        return fused::ChannelAffineAddRelu<A>{both.as<A>()};
      };
      map_each_plane(team, x.shape.plane(), block.size(), out.planes(n, block.first), norm_and_gate,
                     x.planes(n, block.first), shortcut.planes(n, block.first));
    }
  }

  template <class Team, class T>
  void take_sums(const Team& team, const Channels& block, const Groups& groups, const TensorView<const T>& x,
                 const TensorView<const T>& out, const TensorView<const T>& dout, const TensorView<T>& dshortcut,
                 Rows& rows) {
    const Index count = x.shape.plane();
    const auto maps = taped_maps(block);
    for (Index n = 0; n < x.shape.n; ++n) {
      const RunRows own = groups.rows_of({n, block.first, block.last}).from(rows.begin);
      map_planes(team, count, block.size(), dshortcut.planes(n, block.first), fused::OpenWherePositive{},
                 out.planes(n, block.first), dout.planes(n, block.first));
      reduce_planes(
          team, Dots{}, count, block.size(),
          [&](Index i, const auto& state) {
            const auto& map = at(maps, i);
            const double gradient = state.s0();
            const double product = state.s1_about(map.centre);
            at(rows.product, own[i]) = product;
            at(rows.grad_gate, own[i]) = {.scale = map.scale * product + map.shift * gradient, .shift = gradient};
          },
          x.planes(n, block.first), dshortcut.planes(n, block.first));
    }
  }

  /// The moments of the plane of a row.
  [[nodiscard]] PlaneMoments taped_moments(const Shape& x, Index row) const {
    const auto& [mean, squares] = at(tape_.moments, row);
    if constexpr (!wants_extremes<Pool>) return {.count = x.plane(), .mean = mean, .squares = squares};
    const auto& [smallest, largest] = at(tape_.extremes, row);
    return {.count = x.plane(), .mean = mean, .squares = squares, .smallest = smallest, .largest = largest};
  }

  /// A plane's part in the sums that the norm's gradients are made of, of dy = scale r + p + q (y - centre).
  void add_plane(fused::GradientSums& channel, const fused::ChannelAffine<double>& map, const Rows& rows, Index row,
                 double count) const {
    const auto& [mean, squares] = at(tape_.moments, row);
    const Pull& pull = at(rows.pull, row - rows.begin);
    const double scale = at(module_tape_.gate, row).scale;
    const double deviation = mean - map.centre;
    const double distance = map.scale * deviation + map.shift - pull.centre;  // of the mean of y from the pull's centre
    const double evenly = count * (pull.p + pull.q * distance);
    channel.gradient += scale * at(rows.grad_gate, row - rows.begin).shift + evenly;
    channel.product += scale * at(rows.product, row - rows.begin) + deviation * evenly + pull.q * map.scale * squares;
    if constexpr (wants_extremes<Pool>) {
      channel.gradient += pull.pick;
      channel.product += pull.pick * (picked(row, map) - map.centre);
    }
  }

  /// The element of x whose y a pick is for.
  [[nodiscard]] double picked(Index row, const fused::ChannelAffine<double>& map) const {
    const auto& [smallest, largest] = at(tape_.extremes, row);
    return map.scale >= 0 ? largest : smallest;
  }

  template <class Team, class T>
  void pull(const Team& team, const Channels& block, const Groups& groups, const TensorView<const T>& x,
            const TensorView<const T>& r, const TensorView<T>& dx, const Rows& rows) {
    using A = typename Team::template accumulator<T>;
    const Index count = x.shape.plane();
    const auto maps = taped_maps(block);
    PerChannel<fused::GradientSums> sums{};
    for (Index c = 0; c < block.last - block.first; ++c) at(sums, c).centre = at(maps, c).centre;
    for_each_plane(block, groups, [&](Index i, Index row) {
      add_plane(at(sums, i), at(maps, i), rows, row, static_cast<double>(count));
    });
    PerChannel<fused::ChannelPull<double>> pulls;
    for (Index c = block.first; c < block.last; ++c)
      at(pulls, c - block.first) =
          norm_.pull_map(c, at(sums, c - block.first), static_cast<double>(x.shape.n * count), norm_tape_);
    for (Index n = 0; n < x.shape.n; ++n) {
      const RunRows all = groups.rows_of({n, block.first, block.last});
      const RunRows own = all.from(rows.begin);
      const auto norm_and_pull = [&](Index i) {
        const fused::ChannelPull<double>& norm = at(pulls, i);
        const Pull& pull = at(rows.pull, own[i]);
        const fused::ChannelPull<double> both{
            norm.scale * at(module_tape_.gate, all[i]).scale, norm.centre,
            norm.offset + norm.scale * (pull.p + pull.q * (at(maps, i).shift - pull.centre)),
            norm.slope + norm.scale * pull.q * at(maps, i).scale};
        return both.template as<A>();
      };
      map_each_plane(team, count, block.size(), dx.planes(n, block.first), norm_and_pull, r.planes(n, block.first),
                     x.planes(n, block.first));
      if constexpr (wants_extremes<Pool>)
        for (Index i = 0; i < block.size(); ++i)
          add_pick(at(rows.pull, own[i]).pick * at(pulls, i).scale, count, picked(all[i], at(maps, i)),
                   x.plane(n, block.first + i), dx.plane(n, block.first + i));
    }
  }

  /// A pick's part in dx, at the element of the plane x that it is for.
  template <class T>
  static void add_pick(double pick, Index count, double value, const T* x, T* dx) {
    if (pick == 0) return;
    const Index k = detail::find_element(x, count, value);
    if (k < count) detail::add_to(dx + k, pick);
  }

  Norm& norm_;
  Module& module_;
  typename Norm::Tape& norm_tape_;
  typename Module::Tape& module_tape_;
  ResidualTailTape& tape_;
};

/// The same at inference, where the norm is already part of the convolution: out = max(0, module(x) + shortcut).
/// out may be x or the shortcut. cost: reads x (again from cache) and the shortcut, writes out
/// errors: shapes that do not match; what the module refuses
template <Backend B, TailModule Module, class T>
void infer_tail(const B& backend, const Module& module, const TensorView<const T>& x,
                const TensorView<const T>& shortcut, const TensorView<T>& out) {
  using Integrate = typename Module::IntegrateType;
  using A = typename B::Team::template accumulator<T>;
  check_shape("the module's input", x.shape, {x.shape.n, module.channels(), x.shape.h, x.shape.w});
  check_shape("shortcut", shortcut.shape, x.shape);
  check_shape("output of a residual tail", out.shape, x.shape);
  const Groups groups{x.shape, Integrate::mixing};
  detail::check_rows(module.integrate(), module.channels(), groups.rows(), false);
  if (x.shape.size() == 0) return;
  detail::infer_planes(backend, fused::tail_pool(module.pool()), module.integrate(), module.gate(), x, out,
                       [&](const auto& team, const PlaneRun& run, const auto& gate_of) {
                         map_each_plane(
                             team, x.shape.plane(), run.size(), out.planes(run.n, run.first),
                             [&](Index i) {
                               const Affine& gate = gate_of(i);
                               const fused::ChannelAffine<double> map{gate.scale, 0.0, gate.shift};
                               return fused::ChannelAffineAddRelu<A>{map.as<A>()};
                             },
                             x.planes(run.n, run.first), shortcut.planes(run.n, run.first));
                       });
}

}  // namespace recal
