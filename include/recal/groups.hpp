// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include <recal/core/buffer.hpp>
#include <recal/core/host_device.hpp>
#include <recal/core/shape.hpp>
#include <recal/integrate/integrate.hpp>

/// Which planes go through an integration together, and where their numbers lie.
namespace recal {

/// One plane of a tensor and the row of its numbers.
struct Plane {
  Index n;
  Index c;
  Index row;
};

/// Planes (n, c) for c in [first, last).
struct PlaneRun {
  Index n;
  Index first;
  Index last;
  [[nodiscard]] Index size() const { return last - first; }
};

/// The rows of the planes of a run.
struct RunRows {
  Index first;
  Index step;
  [[nodiscard]] Index operator[](Index plane) const { return first + plane * step; }

  /// The same, counted from row `begin` on.
  [[nodiscard]] RunRows from(Index begin) const { return {first - begin, step}; }
};

/// The planes of a tensor in groups, as an integration wants them: by sample if it mixes channels, else by channel;
/// each by itself where it is planewise. Numbers per plane are stored group by group, row by row, but those of a
/// `block` of channels sample by sample.
struct Groups {
  Shape shape;
  Mixing mixing;
  bool planewise = false;
  Index block = 1;
  /// Whether planes that are groups are taken in short runs, and memory is asked for a pass ahead.
  bool asks_early = false;

  [[nodiscard]] RECAL_HOST_DEVICE Index groups() const {
    return planewise ? planes() : by_sample() ? shape.n : shape.c;
  }
  [[nodiscard]] RECAL_HOST_DEVICE Index rows() const { return planewise ? 1 : by_sample() ? shape.c : shape.n; }
  [[nodiscard]] RECAL_HOST_DEVICE Index planes() const { return shape.n * shape.c; }

  /// Where plane (n, c) stands among all rows.
  [[nodiscard]] RECAL_HOST_DEVICE Index row(Index n, Index c) const {
    if (by_sample()) return n * shape.c + c;
    if (block == 1) return c * shape.n + n;
    const Index first = c - c % block;
    const Index width = shape.c - first < block ? shape.c - first : block;
    return first * shape.n + n * width + c - first;
  }

  /// Where the planes of a run stand.
  /// requires: a run within a block
  [[nodiscard]] RunRows rows_of(const PlaneRun& run) const {
    return {row(run.n, run.first), by_sample() || block > 1 ? 1 : shape.n};
  }

  /// requires: blocks of one channel
  [[nodiscard]] RECAL_HOST_DEVICE Plane plane(Index group, Index row) const {
    const Index index = group * rows() + row;
    return by_sample() ? Plane{index / shape.c, index % shape.c, index} : Plane{row, group, index};
  }

  /// The same, for passes that ask early where that pays: for small planes in tensors that no near cache holds.
  [[nodiscard]] Groups asking_early() const {
    constexpr Index large = Index{1} << 23U;
    Groups groups = *this;
    groups.asks_early = planewise && shape.plane() <= short_run / 4 && shape.size() > large;
    return groups;
  }

  /// Elements of a short run.
  static constexpr Index short_run = 1024;

  /// The rows of the groups [first, last), `width` numbers each, in numbers that begin with those of row `begin`.
  template <Index width>
  [[nodiscard]] std::span<double> slice(Buffer<double>& all, Index first, Index last, Index begin = 0) const {
    return {all.data() + (first * rows() - begin) * width, static_cast<std::size_t>((last - first) * rows() * width)};
  }

 private:
  /// Whether rows are in the order of the planes.
  [[nodiscard]] RECAL_HOST_DEVICE bool by_sample() const { return planewise || mixing == Mixing::channels; }
};

}  // namespace recal
