// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <recal/backend/cuda/channel_norm_rows.hpp>
#include <recal/pool/moments_and_extremes.hpp>

namespace recal::cuda {

/// The reducer of the moments that pool P looks at.
template <MomentPool P>
using TailMoments = std::conditional_t<wants_extremes<P>, MomentsAndExtremes, MeanStd>;

/// What a residual tail knows of every plane between its passes; rows are those of Groups.
template <MomentPool P, class G>
struct TailNumbers {
  Groups groups;
  States<TailMoments<P>> moments;
  States<CentredDots> sums;
  double* style;       // (rows, P::width)
  double* excitation;  // (rows, G::width)
  double* scales;      // of the gates: (rows)
  double* grad_style;
  double* grad_excitation;

  template <class Lanes>
  [[nodiscard]] RECAL_HOST_DEVICE PlaneMoments plane_moments(const Lanes& lanes, Index row) const {
    return recal::detail::plane_moments(moments.get(lanes, row), groups.shape.plane());
  }
};

/// `width` numbers of a row.
template <Index width>
struct RowNumbers {
  double value[width];

  template <class Lanes>
  RECAL_HOST_DEVICE RowNumbers(const Lanes& lanes, const double* all, Index row) {
    for (Index d = 0; d < width; ++d) value[d] = lanes.load(all + row * width + d);
  }
};

/// Forward, first: what the norm does to a channel, and with it the styles of the channel's planes.
template <MomentPool P, class G>
struct StyleRows {
  P pool;
  NormView norm;
  TailNumbers<P, G> numbers;

  template <class Lanes>
  RECAL_HOST_DEVICE fused::ChannelAffine<double> operator()(const Lanes& lanes, Index c) const {
    const Shape& shape = numbers.groups.shape;
    const auto moments = [&](Index n) { return numbers.plane_moments(lanes, numbers.groups.row(n, c)); };
    const auto map = norm.forward_map(lanes, c, shape.n, shape.plane(), moments);
    for (Index n = lanes.lane(); n < shape.n; n += lanes.lanes()) {
      double t[P::width];
      pool.finish_moments(moments(n).affine(map.scale, map.shift - map.scale * map.centre), t);
      double* style = numbers.style + numbers.groups.row(n, c) * P::width;
      for (Index d = 0; d < P::width; ++d) lanes.store(style + d, t[d]);
    }
    return map;
  }
};

/// Forward, then: integration and gates of a group, and with the norm's map of each row (map_of(r)) that of the plane.
template <MomentPool P, class G, class V>
struct GateRows {
  G gate;
  V integrate;
  TailNumbers<P, G> numbers;
  MapNumbers* maps;  // (rows)

  template <class Lanes, class MapOf>
  RECAL_HOST_DEVICE void operator()(const Lanes& lanes, Index group, const MapOf& map_of) const {
    const Index rows = numbers.groups.rows();
    const Index first = group * rows;
    integrate.forward(lanes, group, rows, static_cast<const double*>(numbers.style + first * P::width),
                      numbers.excitation + first * G::width);
    lanes.sync();
    for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) {
      const RowNumbers<G::width> z(lanes, numbers.excitation, first + r);
      const Affine opened = gate.open(z.value);
      const fused::ChannelAffine<double> map = map_of(r);
      lanes.store(numbers.scales + first + r, opened.scale);
      lanes.store(maps + first + r, numbers_of(fused::ChannelAffine<double>{opened.scale * map.scale, map.centre,
                                                                            opened.scale * map.shift + opened.shift}));
    }
  }
};

/// Backward, first: gradients of gates and styles of a group.
template <MomentPool P, class G, class V>
struct GateGradientRows {
  G gate;
  V integrate;
  TailNumbers<P, G> numbers;

  template <class Lanes, class MapOf>
  RECAL_HOST_DEVICE void operator()(const Lanes& lanes, Index group, const MapOf& map_of) const {
    const Index rows = numbers.groups.rows();
    const Index first = group * rows;
    for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) {
      const auto sums = numbers.sums.get(lanes, first + r);
      const fused::ChannelAffine<double> map = map_of(r);
      const RowNumbers<G::width> z(lanes, numbers.excitation, first + r);
      double dz[G::width];
      gate.pull(z.value, Affine{map.scale * sums.product + map.shift * sums.gradient, sums.gradient}, dz);
      for (Index d = 0; d < G::width; ++d) lanes.store(numbers.grad_excitation + (first + r) * G::width + d, dz[d]);
    }
    lanes.sync();
    integrate.backward(lanes, group, rows, static_cast<const double*>(numbers.style + first * P::width),
                       static_cast<const double*>(numbers.grad_excitation + first * G::width),
                       numbers.grad_style + first * P::width);
  }
};

/// Backward, then: the norm's gradients of a channel, and what its planes are told. The gradient of the norm's output y
/// is scale r + p + q (y - centre), and a pick at one element.
template <MomentPool P, class G>
struct NormGradientRows {
  P pool;
  NormView norm;
  TailNumbers<P, G> numbers;
  PullNumbers* pulls;  // (rows)

  template <class Lanes>
  RECAL_HOST_DEVICE void operator()(const Lanes& lanes, Index c) const {
    const Shape& shape = numbers.groups.shape;
    const auto map = norm.taped_map(lanes, c);
    fused::GradientSums own{.centre = map.centre};
    for (Index n = lanes.lane(); n < shape.n; n += lanes.lanes()) add_plane(lanes, own, map, numbers.groups.row(n, c));
    const double gradient = lanes.sum(own.gradient);
    const double product = lanes.sum(own.product);
    const auto count = static_cast<double>(shape.n * shape.plane());
    const auto pull = norm.pull_map(lanes, c, {map.centre, gradient, product}, count);
    for (Index n = lanes.lane(); n < shape.n; n += lanes.lanes())
      tell_plane(lanes, map, pull, numbers.groups.row(n, c));
  }

 private:
  template <class Lanes>
  [[nodiscard]] RECAL_HOST_DEVICE Pull pull_of(const Lanes& lanes, Index row) const {
    const RowNumbers<P::width> t(lanes, numbers.style, row);
    const RowNumbers<P::width> dt(lanes, numbers.grad_style, row);
    return pool.pull(t.value, dt.value, numbers.groups.shape.plane());
  }

  /// The element of x whose y a pick is for.
  [[nodiscard]] RECAL_HOST_DEVICE static double picked(const PlaneMoments& x, const fused::ChannelAffine<double>& map) {
    return map.scale >= 0 ? x.largest : x.smallest;
  }

  template <class Lanes>
  RECAL_HOST_DEVICE void add_plane(const Lanes& lanes, fused::GradientSums& channel,
                                   const fused::ChannelAffine<double>& map, Index row) const {
    const PlaneMoments x = numbers.plane_moments(lanes, row);
    const auto r = numbers.sums.get(lanes, row);
    const double scale = lanes.load(numbers.scales + row);
    const Pull pull = pull_of(lanes, row);
    const auto count = static_cast<double>(x.count);
    const double deviation = x.mean - map.centre;
    const double distance = map.scale * deviation + map.shift - pull.centre;  // of the mean of y from the pull's centre
    channel.gradient += scale * r.gradient + count * (pull.p + pull.q * distance) + pull.pick;
    channel.product += scale * r.product + count * deviation * (pull.p + pull.q * distance) +
                       pull.q * map.scale * x.squares + pull.pick * (picked(x, map) - map.centre);
  }

  template <class Lanes>
  RECAL_HOST_DEVICE void tell_plane(const Lanes& lanes, const fused::ChannelAffine<double>& map,
                                    const fused::ChannelPull<double>& channel, Index row) const {
    const Pull pull = pull_of(lanes, row);
    const double scale = lanes.load(numbers.scales + row);
    const MapNumbers affine = numbers_of(
        fused::ChannelPull<double>{channel.scale * scale, channel.centre,
                                   channel.offset + channel.scale * (pull.p + pull.q * (map.shift - pull.centre)),
                                   channel.slope + channel.scale * pull.q * map.scale});
    // In the order of PullNumbers: scale, offset, slope, centre.
    lanes.store(&pulls[row].affine, Vector<float, 4>{{affine.lane[0], affine.lane[2], affine.lane[3], affine.lane[1]}});
    Vector<float, 4> pick{};
    if constexpr (wants_extremes<P>) {
      pick.lane[0] = static_cast<float>(channel.scale * pull.pick);
      pick.lane[1] = static_cast<float>(picked(numbers.plane_moments(lanes, row), map));
    }
    lanes.store(&pulls[row].pick, pick);
  }
};

/// Forward where no channels are mixed: all of a channel. A row is one lane's from beginning to end.
template <MomentPool P, class G, class V>
struct ChannelTailRows {
  StyleRows<P, G> styles;
  GateRows<P, G, V> gates;

  template <class Lanes>
  RECAL_HOST_DEVICE void operator()(const Lanes& lanes, Index c) const {
    const auto map = styles(lanes, c);
    gates(lanes, c, [&](Index) { return map; });
  }
};

/// Backward where no channels are mixed: all of a channel, a row again one lane's.
template <MomentPool P, class G, class V>
struct ChannelTailGradientRows {
  GateGradientRows<P, G, V> gates;
  NormGradientRows<P, G> norm;

  template <class Lanes>
  RECAL_HOST_DEVICE void operator()(const Lanes& lanes, Index c) const {
    const auto map = norm.norm.taped_map(lanes, c);
    gates(lanes, c, [&](Index) { return map; });
    norm(lanes, c);
  }
};

/// GateRows or GateGradientRows of a sample, whose rows are the channels.
template <class Gates>
struct SampleTailRows {
  Gates gates;
  NormView norm;

  template <class Lanes>
  RECAL_HOST_DEVICE void operator()(const Lanes& lanes, Index sample) const {
    gates(lanes, sample, [&](Index c) { return norm.taped_map(lanes, c); });
  }
};

}  // namespace recal::cuda
