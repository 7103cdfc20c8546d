// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/backend.hpp>
#include <recal/backend/channel_block.hpp>
#include <recal/backend/lanes_sink.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/dots.hpp>
#include <recal/core/for_each_lanes.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/core/tensor.hpp>
#include <recal/fused/channel_sums.hpp>
#include <recal/fused/channel_walk.hpp>
#include <recal/fused/tail_module.hpp>
#include <recal/map_in_lanes.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/pool/moments_and_extremes.hpp>
#include <recal/pool/plane_moments.hpp>
#include <recal/recalibrate_passes.hpp>
#include <recal/recalibrate_planes.hpp>
#include <recal/recalibrate_rows.hpp>
#include <recal/row_lanes.hpp>

namespace recal {

/// What the backward pass of a residual tail needs besides x, out and the tapes of norm and module: N*C of each, in the
/// order of the module's rows.
struct ResidualTailTape {
  Buffer<double> mean;
  Buffer<double> squares;
  Buffer<double> smallest;  ///< and largest: for pools that look at them
  Buffer<double> largest;
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
    const Index extremes = wants_extremes<Pool> ? groups.planes() : 0;
    resize(tape_.mean, groups.planes());
    resize(tape_.squares, groups.planes());
    resize(tape_.smallest, extremes);
    resize(tape_.largest, extremes);
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
    detail::with_pull_rows<Rows, Pool>(module_.integrate(), groups, module_tape_, [&](const auto& rows_of) {
      walk(
          backend, groups, rows_of,
          [&](const auto& team, const Channels& block, Rows& rows) {
            take_sums(team, block, groups, x, out, dout, dshortcut, rows);
          },
          detail::backward_step(module_.integrate(), module_.gate(), groups, module_tape_),
          [&](const auto& team, const Channels& block, const Rows& rows) {
            pull(team, block, groups, x, TensorView<const T>(dshortcut), dx, rows);
          });
    });
  }

 private:
  using Channels = ChannelBlock;
  using Rows = fused::TailPullRows;
  using Maps = fused::PerChannel<fused::ChannelAffine, double>;
  using Pulled = detail::PulledRows<Pool>;

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
  [[nodiscard]] Maps taped_maps(const Channels& block) const {
    Maps maps{};
    detail::for_each_lanes(block.size(), [&]<class A>(Index i, A) {
      maps.set(i, norm_.template taped_map<A>(block.first + i, norm_tape_));
    });
    return maps;
  }

  /// f(i, row, a) for the planes of a block, sample by sample, of channel block.first + i each, or of as many as a pack
  /// has lanes.
  template <bool packs, class F>
  static void for_each_plane(const Channels& block, const Groups& groups, const F& f) {
    for (Index n = 0; n < groups.shape.n; ++n) {
      const RunRows rows = groups.rows_of({n, block.first, block.last});
      detail::for_each_row_lanes<packs>(rows, block.size(), [&](Index i, auto lanes) { f(i, rows[i], lanes); });
    }
  }

  using Moments = std::conditional_t<wants_extremes<Pool>, MomentsAndExtremes, MeanStd>;

  template <class Team, class T>
  void take_moments(const Team& team, const Channels& block, const Groups& groups, const TensorView<const T>& x,
                    Mode mode) {
    const auto channels = fused::channel_moments<Moments>(team, block, x, [&](Index n) {
      return [this, rows = groups.rows_of({n, block.first, block.last})](Index i, Index planes, const auto& plane) {
        this->keep_moments(rows, i, planes, plane);
      };
    });
    const auto elements = static_cast<double>(x.shape.plane());
    const double count = elements * static_cast<double>(x.shape.n);
    Maps maps;
    detail::for_each_lanes(block.size(), [&]<class A>(Index i, A) {
      const Index c = block.first + i;
      maps.set(i, mode == Mode::train ? norm_.batch_map(c, channels.template get<A>(i), elements, count, norm_tape_)
                                      : norm_.template running_map<A>(c, &norm_tape_));
    });
    const auto& pool = fused::tail_pool(module_.pool());
    constexpr bool packs = detail::finishes_in_lanes<Pool, pack_for<double>>;
    for_each_plane<packs>(block, groups, [&]<class A>(Index i, Index row, A) {
      const auto map = maps.template get<A>(i);
      std::array<A, static_cast<std::size_t>(Pool::width)> t;
      pool.finish_moments(taped_moments<A>(x.shape, row).affine(map.scale, map.shift - map.scale * map.centre),
                          t.data());
      store_interleaved(module_tape_.style.data() + row * Pool::width, t);
    });
  }

  template <class A>
  void keep_moments(const RunRows& rows, Index i, Index planes, const BasicPlaneMoments<A>& plane) {
    const auto keep = [&](Buffer<double>& numbers, A own) {
      detail::store_rows(numbers.data(), rows, i, planes, std::array{own});
    };
    keep(tape_.mean, plane.mean);
    keep(tape_.squares, plane.squares);
    if constexpr (wants_extremes<Pool>) {
      keep(tape_.smallest, plane.smallest);
      keep(tape_.largest, plane.largest);
    }
  }

  template <class Team, class T>
  void apply(const Team& team, const Channels& block, const Groups& groups, const TensorView<const T>& x,
             const TensorView<const T>& shortcut, const TensorView<T>& out) {
    const Maps maps = taped_maps(block);
    for (Index n = 0; n < x.shape.n; ++n) {
      const detail::GatesOfPlanes gates{module_tape_.gate.data(), groups.rows_of({n, block.first, block.last})};
      const auto norm_and_gate = [&]<class A>(Index i, A) {
        const auto map = maps.template get<A>(i);
        const auto [scale, shift] = gates.template get<A>(i);
        return fused::ChannelAffineAddRelu<A>{{scale * map.scale, map.centre, scale * map.shift + shift}};
      };
      detail::map_in_lanes<fused::ChannelAffineAddRelu>(team, x.shape.plane(), block.size(), gates.rows, norm_and_gate,
                                                        out.planes(n, block.first), x.planes(n, block.first),
                                                        shortcut.planes(n, block.first));
    }
  }

  template <class Team, class T>
  void take_sums(const Team& team, const Channels& block, const Groups& groups, const TensorView<const T>& x,
                 const TensorView<const T>& out, const TensorView<const T>& dout, const TensorView<T>& dshortcut,
                 Rows& rows) {
    const Index count = x.shape.plane();
    const Maps maps = taped_maps(block);
    for (Index n = 0; n < x.shape.n; ++n) {
      const RunRows own = groups.rows_of({n, block.first, block.last}).from(rows.begin);
      map_planes(team, count, block.size(), dshortcut.planes(n, block.first), fused::OpenWherePositive{},
                 out.planes(n, block.first), dout.planes(n, block.first));
      const auto keep = [&]<class A>(Index i, Index planes, const Dots::State<A>& sums) {
        const auto map = maps.template get<A>(i);
        const A gradient = sums.s0();
        const A product = sums.s1_about(map.centre);
        detail::store_rows(rows.product.data(), own, i, planes, std::array{product});
        detail::store_rows(detail::numbers_of(rows.grad_gate.data()), own, i, planes,
                           std::array{map.scale * product + map.shift * gradient, gradient});
      };
      reduce_planes(team, Dots{}, count, block.size(), detail::LanesSink{keep}, x.planes(n, block.first),
                    dshortcut.planes(n, block.first));
    }
  }

  /// The moments of the plane of a row, or of as many from it on as A has lanes.
  template <class A>
  [[nodiscard]] BasicPlaneMoments<A> taped_moments(const Shape& x, Index row) const {
    BasicPlaneMoments<A> moments{
        .count = x.plane(), .mean = load<A>(&at(tape_.mean, row)), .squares = load<A>(&at(tape_.squares, row))};
    if constexpr (wants_extremes<Pool>) {
      moments.smallest = load<A>(&at(tape_.smallest, row));
      moments.largest = load<A>(&at(tape_.largest, row));
    }
    return moments;
  }

  /// A plane's part in the sums that the norm's gradients are made of, of dy = scale r + p + q (y - centre).
  template <class A>
  void add_plane(fused::BasicGradientSums<A>& channel, const fused::ChannelAffine<A>& map,
                 const BasicPlaneMoments<A>& x, const BasicPull<A>& pull, A scale, A gradient, A product) const {
    const A deviation = x.mean - map.centre;
    const A distance = map.scale * deviation + map.shift - pull.centre;  // of the mean of y from the pull's centre
    const A evenly = A(static_cast<double>(x.count)) * (pull.p + pull.q * distance);
    channel.gradient += scale * gradient + evenly;
    channel.product += scale * product + deviation * evenly + pull.q * map.scale * x.squares;
    if constexpr (wants_extremes<Pool>) {
      channel.gradient += pull.pick;
      channel.product += pull.pick * (picked(x, map) - map.centre);
    }
  }

  /// The element of x whose y a pick is for.
  template <class A>
  [[nodiscard]] static A picked(const BasicPlaneMoments<A>& x, const fused::ChannelAffine<A>& map) {
    return choose_positive(map.scale, x.largest, x.smallest);
  }

  /// The sums that the norm's gradients are made of.
  [[nodiscard]] auto norm_sums(const Channels& block, const Groups& groups, const Maps& maps, const Pulled& pulled,
                               const Rows& rows) const {
    auto sums = norm_.no_sums(block, norm_tape_);
    for_each_plane<Pulled::packs>(block, groups, [&]<class A>(Index i, Index row, A) {
      auto channel = sums.template get<A>(i);
      const Index own = row - rows.begin;
      add_plane(channel, maps.template get<A>(i), taped_moments<A>(groups.shape, row), pulled.template pull<A>(row),
                pulled.template scale<A>(row), detail::load_gates<A>(&at(rows.grad_gate, own))[1],
                load<A>(&at(rows.product, own)));
      sums.set(i, channel);
    });
    return sums;
  }

  template <class Team, class T>
  void pull(const Team& team, const Channels& block, const Groups& groups, const TensorView<const T>& x,
            const TensorView<const T>& r, const TensorView<T>& dx, const Rows& rows) {
    const Index count = x.shape.plane();
    const Maps maps = taped_maps(block);
    const auto& pool = fused::tail_pool(module_.pool());
    const Pulled pulled{pool, count, module_tape_, rows};
    const auto sums = norm_sums(block, groups, maps, pulled, rows);
    fused::PerChannel<fused::ChannelPull, double> norm;
    detail::for_each_lanes(block.size(), [&]<class L>(Index i, L) {
      norm.set(i, norm_.pull_map(block.first + i, sums.template get<L>(i), static_cast<double>(x.shape.n * count),
                                 norm_tape_));
    });
    for (Index n = 0; n < x.shape.n; ++n) {
      const RunRows own = groups.rows_of({n, block.first, block.last});
      const auto norm_and_pull = [&]<class A>(Index i, A) {
        const auto map = maps.template get<A>(i);
        const auto channel = norm.template get<A>(i);
        const BasicPull<A> pull = pulled.template pull<A>(own[i]);
        return fused::ChannelPull<A>{channel.scale * pulled.template scale<A>(own[i]), channel.centre,
                                     channel.offset + channel.scale * (pull.p + pull.q * (map.shift - pull.centre)),
                                     channel.slope + channel.scale * pull.q * map.scale};
      };
      detail::map_in_lanes<fused::ChannelPull, Pulled::packs>(team, count, block.size(), own, norm_and_pull,
                                                              dx.planes(n, block.first), r.planes(n, block.first),
                                                              x.planes(n, block.first));
      if constexpr (wants_extremes<Pool>)
        for (Index i = 0; i < block.size(); ++i)
          add_pick(pulled.template pull<double>(own[i]).pick * norm.get(i).scale, count,
                   picked(taped_moments<double>(x.shape, own[i]), maps.get(i)), x.plane(n, block.first + i),
                   dx.plane(n, block.first + i));
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
  check_shape("the module's input", x.shape, {x.shape.n, module.channels(), x.shape.h, x.shape.w});
  check_shape("shortcut", shortcut.shape, x.shape);
  check_shape("output of a residual tail", out.shape, x.shape);
  const Groups groups{x.shape, Integrate::mixing};
  detail::check_rows(module.integrate(), module.channels(), groups.rows(), false);
  if (x.shape.size() == 0) return;
  detail::infer_planes(backend, fused::tail_pool(module.pool()), module.integrate(), module.gate(), x, out,
                       [&](const auto& team, const PlaneRun& run, const auto& gates) {
                         const auto map_of = [&]<class A>(Index i, A) {
                           const auto [scale, shift] = gates.template get<A>(i);
                           return fused::ChannelAffineAddRelu<A>{{scale, A(0), shift}};
                         };
                         detail::map_in_lanes<fused::ChannelAffineAddRelu>(
                             team, x.shape.plane(), run.size(), gates.rows, map_of, out.planes(run.n, run.first),
                             x.planes(run.n, run.first), shortcut.planes(run.n, run.first));
                       });
}

}  // namespace recal
