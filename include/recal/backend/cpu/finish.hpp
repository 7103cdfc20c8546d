// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include <recal/backend/conv_finish.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/planes.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/transpose_lanes.hpp>

/// How the sums of a convolution become its output.
namespace recal::cpu {

/// y = finish(y) for the pixels of a run of one channel; `y` is where they lie.
template <class T>
void finish_run(const ConvFinish<T>& finish, const ImageRun& run, Index channel, T* y) {
  const T scale = finish.scale_of(channel);
  const T shift = finish.shift_of(channel);
  const T* shortcut = finish.shortcut.data != nullptr ? finish.shortcut.plane(run.image, channel) + run.first : nullptr;
  const auto go = [&](const auto& f) {
    if (shortcut != nullptr)
      map(
          run.count, y, [&](auto sum, auto add) { return f(sum * scale + (add + shift)); }, static_cast<const T*>(y),
          shortcut);
    else
      map(
          run.count, y, [&](auto sum) { return f(sum * scale + shift); }, static_cast<const T*>(y));
  };
  if (finish.relu)
    go([](auto sum) { return max(decltype(sum)(0), sum); });
  else
    go([](auto sum) { return sum; });
}

/// y = finish(y) on all planes: for convolutions that write it in other orders.
template <class T>
void finish_planes(const ConvFinish<T>& finish, const TensorView<T>& y) {
  if (finish.empty()) return;
  const Index plane = y.shape.plane();
  parallel_for(y.shape.n * y.shape.c, 1 + 16384 / (1 + plane), [&](Index index) {
    const ImageRun run{index / y.shape.c, 0, plane};
    const Index channel = index % y.shape.c;
    finish_run(finish, run, channel, y.plane(run.image, channel));
  });
}

namespace detail {

/// values[channel + lane], or `otherwise` where there are none.
template <class T>
[[nodiscard]] pack_for<T> of_channels(const T* values, Index channel, Index channels, T otherwise) {
  pack_for<T> all(otherwise);
  if (values != nullptr)
    for (Index lane = 0; lane < channels; ++lane) all.v[lane] = values[channel + lane];
  return all;
}

/// write_pixels() for up to a register of channels.
template <class T>
void write_lanes(const ImageRun& run, Index channel, Index channels, const T* sums, const TensorView<T>& y,
                 const ConvFinish<T>& finish) {
  using P = pack_for<T>;
  using Rows = std::array<P, static_cast<std::size_t>(P::lanes)>;
  const P scale = of_channels(finish.scale, channel, channels, T{1});
  const P shift = of_channels(finish.shift, channel, channels, T{0});
  const bool joins = finish.shortcut.data != nullptr;
  const P least(finish.relu && !joins ? T{0} : -std::numeric_limits<T>::infinity());
  const auto finished = [&](Index i) { return max(least, load<P>(sums + i * Block<T>::columns) * scale + shift); };
  const auto join = [&](auto sum, const T* shortcut) {
    const auto joined = sum + load<decltype(sum)>(shortcut);
    return finish.relu ? max(decltype(sum)(0), joined) : joined;
  };
  const auto write_square = [&](Index i) {
    Rows rows;
    for (Index lane = 0; lane < P::lanes; ++lane) at(rows, lane) = finished(i + lane);
    transpose_lanes(rows);
    for (Index lane = 0; lane < channels; ++lane) {
      const P own = at(rows, lane);
      const Index pixel = run.first + i;
      store(y.plane(run.image, channel + lane) + pixel,
            joins ? join(own, finish.shortcut.plane(run.image, channel + lane) + pixel) : own);
    }
  };
  Index i = 0;
  for (; i + P::lanes <= run.count; i += P::lanes) write_square(i);
  if (i == run.count) return;
  if (run.count >= P::lanes) return write_square(run.count - P::lanes);
  for (; i < run.count; ++i) {
    const P own = finished(i);
    for (Index lane = 0; lane < channels; ++lane) {
      const Index pixel = run.first + i;
      y.plane(run.image, channel + lane)[pixel] =
          joins ? join(T{own.v[lane]}, finish.shortcut.plane(run.image, channel + lane) + pixel) : T{own.v[lane]};
    }
  }
}

}  // namespace detail

/// y(channel + j, pixel i of the run) = finish(sums[i*Block<T>::columns + j]) for j < channels, at most the width of a
/// panel.
/// requires: the shortcut is not y
template <class T>
void write_pixels(const ImageRun& run, Index channel, Index channels, const T* sums, const TensorView<T>& y,
                  const ConvFinish<T>& finish) {
  constexpr Index lanes = pack_for<T>::lanes;
  for (Index j = 0; j < channels; j += lanes)
    detail::write_lanes(run, channel + j, std::min(lanes, channels - j), sums + j, y, finish);
}

}  // namespace recal::cpu
