// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/packed_weights.hpp>
#include <recal/backend/cpu/winograd.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/transpose_lanes.hpp>

namespace recal::cpu {

/// Weights [G*outputs, inputs, 3, 3] as the right operands of Winograd's products with tiles W: for each point a matrix
/// in panels of Block<T>::columns channels that the product makes, a row for each channel that it sums over. They lie
/// in the memory that they are given. cost: reads the weights once and writes W::points/9 as much
template <class T, class W>
class WinogradWeights {
 public:
  explicit WinogradWeights(Buffer<T>& memory) : memory_(memory) {}

  /// For y = weight * x: panels of outputs, a row for each input.
  void pack(const T* weight, const WeightShape& shape) {
    transform(weight, shape.groups, {shape.outputs, shape.inputs * shape.area}, {shape.inputs, shape.area}, false);
  }

  /// For dx = weight^T * dy: panels of inputs, a row for each output, the kernel turned by half a circle.
  void turn(const T* weight, const WeightShape& shape) {
    transform(weight, shape.groups, {shape.inputs, shape.area}, {shape.outputs, shape.inputs * shape.area}, true);
  }

  /// A panel of a group at a point, from a channel of the sum on.
  [[nodiscard]] const T* panel(Index group, Index point, Index panel, Index channel) const {
    return memory_.data() + (((group * W::points + point) * panels_ + panel) * depth_ + channel) * width;
  }

 private:
  using P = pack_for<T>;
  static constexpr Index width = Block<T>::columns;
  static constexpr Index area = winograd::taps * winograd::taps;

  /// Channels on one side of the weights, and how far apart their kernels are.
  struct Side {
    Index channels, step;
  };

  void transform(const T* weight, Index groups, const Side& made, const Side& summed, bool turned) {
    constexpr Index piece = 32;  // rows of a task
    panels_ = (made.channels + width - 1) / width;
    depth_ = summed.channels;
    renew(memory_, groups * W::points * panels_ * depth_ * width);
    const Index group_size = made.channels * summed.channels * area;
    const Index pieces = (depth_ + piece - 1) / piece;
    parallel_for(groups * panels_ * pieces, [&](Index index) {
      const Index group = index / (panels_ * pieces);
      const Index panel = index / pieces % panels_;
      const Index first = index % pieces * piece;
      const T* own = weight + group * group_size;
      for (Index column = 0; column < width; column += P::lanes) {
        const Index channel = panel * width + column;
        const Index lanes = std::clamp<Index>(made.channels - channel, 0, P::lanes);
        for (Index c = first; c < std::min(depth_, first + piece); ++c) {
          const auto kernels =
              load_kernels(own + channel * made.step + c * summed.step, made.step, lanes, own + group_size, turned);
          const auto values = winograd::along_both<winograd::taps, W::side>(kernels, typename W::FromWeight{});
          T* to = memory_.data() + ((group * W::points * panels_ + panel) * depth_ + c) * width + column;
          for (const P& value : values) {
            store(to, value);
            to += panels_ * depth_ * width;
          }
        }
      }
    });
  }

  /// The taps of `count` kernels that begin `step` apart, a lane each, in their order or from the last on; 0 in the
  /// other lanes. Reads nothing from `end` on.
  [[nodiscard]] static winograd::Row<P, area> load_kernels(const T* from, Index step, Index count, const T* end,
                                                           bool turned) {
    winograd::Row<P, area> taps;
    constexpr Index last = std::max<Index>(area - P::lanes, 0);  // the last pack ends where the kernel ends
    for (Index first = 0;; first = std::min(first + P::lanes, last)) {
      std::array<P, static_cast<std::size_t>(P::lanes)> square;
      for (Index lane = 0; lane < P::lanes; ++lane)
        at(square, lane) = lane < count ? load_until(from + lane * step + first, end) : P(T{0});
      transpose_lanes(square);
      for (Index i = 0; i < std::min<Index>(P::lanes, area - first); ++i)
        at(taps, turned ? area - 1 - first - i : first + i) = at(square, i);
      if (first == last) return taps;
    }
  }

  [[nodiscard]] static P load_until(const T* from, const T* end) {
    if (end - from >= P::lanes) return load<P>(from);
    P some(T{0});
    for (Index lane = 0; lane < end - from; ++lane) some.v[lane] = from[lane];
    return some;
  }

  Buffer<T>& memory_;
  Index panels_ = 0;
  Index depth_ = 0;
};

}  // namespace recal::cpu
