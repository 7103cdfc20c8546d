// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/backend/cuda/rows.hpp>
#include <recal/fused/channel_walk.hpp>
#include <recal/pool/mean_std.hpp>

namespace recal::cuda {

/// scale, centre, shift of a map, or scale, centre, offset, slope of a pull: what a pass over planes is told.
using MapNumbers = Vector<float, 4>;

[[nodiscard]] RECAL_HOST_DEVICE inline MapNumbers numbers_of(const fused::ChannelAffine<double>& map) {
  const auto narrow = map.as<float>();
  return {{narrow.scale, narrow.centre, narrow.shift, 0.0F}};
}
[[nodiscard]] RECAL_HOST_DEVICE inline MapNumbers numbers_of(const fused::ChannelPull<double>& pull) {
  const auto narrow = pull.as<float>();
  return {{narrow.scale, narrow.centre, narrow.offset, narrow.slope}};
}

/// What a stretch of a plane adds to fused::GradientSums: sum dr and sum dr (x - centre).
struct CentredDots {
  template <class A>
  struct State {
    A gradient;
    A product;
  };

  template <class A>
  RECAL_HOST_DEVICE static void merge(State<A>& s, const State<A>& other) {
    s.gradient += other.gradient;
    s.product += other.product;
  }
};

/// A BatchNorm2d as kernels see it: the formulas of nn::BatchNorm2d, a channel at a time, by lanes that are called
/// together. One without parameters leaves channels as they are.
struct NormView {
  ParameterView weight;
  ParameterView bias;
  float* running_mean = nullptr;
  float* running_var = nullptr;
  float* batches = nullptr;
  double* mean = nullptr;  // the tape's
  double* inverse = nullptr;
  double eps = 0;
  double momentum = 0;
  bool of_batch = false;

  /// What the norm does to a channel of `rows` planes of `elements`; moments(n) are those of plane n. Fills the tape,
  /// and moves the running statistics where those of the batch count.
  template <class Lanes, class Moments>
  [[nodiscard]] RECAL_HOST_DEVICE fused::ChannelAffine<double> forward_map(const Lanes& lanes, Index c, Index rows,
                                                                           Index elements,
                                                                           const Moments& moments) const {
    if (weight.value == nullptr) return {1.0, 0.0, 0.0};
    const Statistics found =
        of_batch ? of_moments(channel_moments(lanes, rows, moments), rows, elements) : running(lanes, c);
    const double root = 1.0 / std::sqrt(found.biased + eps);
    if (lanes.lane() == 0) {
      if (of_batch) update(lanes, c, found);
      lanes.store(mean + c, found.mean);
      lanes.store(inverse + c, root);
    }
    return affine(lanes, c, found.mean, root);
  }

  /// The map of the pass that the tape is of.
  template <class Lanes>
  [[nodiscard]] RECAL_HOST_DEVICE fused::ChannelAffine<double> taped_map(const Lanes& lanes, Index c) const {
    if (weight.value == nullptr) return {1.0, 0.0, 0.0};
    return affine(lanes, c, lanes.load(mean + c), lanes.load(inverse + c));
  }

  /// dx from dr and x, given a channel's sums over `count` values. Adds the gradients of weight and bias.
  template <class Lanes>
  [[nodiscard]] RECAL_HOST_DEVICE fused::ChannelPull<double> pull_map(const Lanes& lanes, Index c,
                                                                      const fused::GradientSums& sums,
                                                                      double count) const {
    const double off_centre = sums.centre - lanes.load(mean + c);
    const double root = lanes.load(inverse + c);
    const double about_mean = sums.product + off_centre * sums.gradient;
    const double scale = weight.get(lanes, c) * root;
    if (lanes.lane() == 0) {
      weight.add_gradient(lanes, c, about_mean * root);
      bias.add_gradient(lanes, c, sums.gradient);
    }
    const double slope = of_batch ? -scale * root * root * about_mean / count : 0.0;
    const double offset = of_batch ? -scale * sums.gradient / count + slope * off_centre : 0.0;
    return {scale, sums.centre, offset, slope};
  }

 private:
  struct Statistics {
    double mean;
    double biased;
    double unbiased;
  };

  /// Deviations are taken from the first plane's mean, which lane 0 passes on.
  template <class Lanes, class Moments>
  [[nodiscard]] RECAL_HOST_DEVICE static fused::ChannelMoments channel_moments(const Lanes& lanes, Index rows,
                                                                               const Moments& moments) {
    const double shift = lanes.sum(lanes.lane() == 0 ? moments(0).mean : 0.0);
    double inside = 0;
    double between = 0;
    double distances = 0;
    for (Index n = lanes.lane(); n < rows; n += lanes.lanes()) {
      const PlaneMoments plane = moments(n);
      const double distance = plane.mean - shift;
      inside += plane.squares;
      between += distance * distance;
      distances += distance;
    }
    inside = lanes.sum(inside);
    between = lanes.sum(between);
    distances = lanes.sum(distances);
    return {static_cast<double>(rows), shift, inside, between, distances};
  }

  [[nodiscard]] RECAL_HOST_DEVICE static Statistics of_moments(const fused::ChannelMoments& moments, Index rows,
                                                               Index elements) {
    const auto count = static_cast<double>(rows * elements);
    const double squares = moments.squares(static_cast<double>(elements));
    return {moments.mean(), squares / count, squares / (count - 1.0)};
  }

  template <class Lanes>
  [[nodiscard]] RECAL_HOST_DEVICE Statistics running(const Lanes& lanes, Index c) const {
    const auto variance = static_cast<double>(lanes.load(running_var + c));
    return {static_cast<double>(lanes.load(running_mean + c)), variance, variance};
  }

  template <class Lanes>
  RECAL_HOST_DEVICE void update(const Lanes& lanes, Index c, const Statistics& fresh) const {
    blend(lanes, running_mean + c, fresh.mean);
    blend(lanes, running_var + c, fresh.unbiased);
    if (c == 0) lanes.store(batches, lanes.load(batches) + 1.0F);
  }

  template <class Lanes>
  RECAL_HOST_DEVICE void blend(const Lanes& lanes, float* kept, double fresh) const {
    lanes.store(kept, static_cast<float>((1.0 - momentum) * static_cast<double>(lanes.load(kept)) + momentum * fresh));
  }

  /// Centre and shift such that scale * (x - centre) + shift normalises by `average`.
  template <class Lanes>
  [[nodiscard]] RECAL_HOST_DEVICE fused::ChannelAffine<double> affine(const Lanes& lanes, Index c, double average,
                                                                      double root) const {
    const double scale = weight.get(lanes, c) * root;
    const auto centre = static_cast<double>(static_cast<float>(average));
    return {scale, centre, bias.get(lanes, c) + scale * (centre - average)};
  }
};

/// Batch norm between the passes forward: a channel's map from the moments of its planes.
struct NormForwardRows {
  NormView norm;
  Groups groups;
  States<MeanStd> states;
  MapNumbers* maps;  // (C)

  template <class Lanes>
  RECAL_HOST_DEVICE void operator()(const Lanes& lanes, Index c) const {
    const Index elements = groups.shape.plane();
    const auto map = norm.forward_map(lanes, c, groups.shape.n, elements, [&](Index n) {
      return recal::detail::plane_moments(states.get(lanes, groups.row(n, c)), elements);
    });
    if (lanes.lane() == 0) lanes.store(maps + c, numbers_of(map));
  }
};

/// Batch norm between the passes backward: a channel's pull from the sums over its planes.
struct NormBackwardRows {
  NormView norm;
  Groups groups;
  States<CentredDots> states;
  MapNumbers* maps;  // (C)

  template <class Lanes>
  RECAL_HOST_DEVICE void operator()(const Lanes& lanes, Index c) const {
    CentredDots::State<double> own{};
    for (Index n = lanes.lane(); n < groups.shape.n; n += lanes.lanes())
      CentredDots::merge(own, states.get(lanes, groups.row(n, c)));
    const double gradient = lanes.sum(own.gradient);
    const double product = lanes.sum(own.product);
    const fused::GradientSums sums{norm.taped_map(lanes, c).centre, gradient, product};
    const auto pull = norm.pull_map(lanes, c, sums, static_cast<double>(groups.shape.n * groups.shape.plane()));
    if (lanes.lane() == 0) lanes.store(maps + c, numbers_of(pull));
  }
};

}  // namespace recal::cuda
