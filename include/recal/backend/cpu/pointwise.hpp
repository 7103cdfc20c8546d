// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/run_packs.hpp>
#include <recal/backend/window.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/tensor.hpp>

/// 1x1 convolutions whose planes are strided or tiny. A pass over the small tensors first lays out the pixels that
/// matter so that products find long rows: the subsampled planes, and where planes are tiny, all images in one row.
namespace recal::cpu {

/// Planes with fewer pixels than this are joined over the images.
inline constexpr Index tiny_plane = 16;

[[nodiscard]] inline bool wants_layout(const Window& window, const Shape& y) {
  return window.kernel == 1 && window.padding == 0 && (window.stride > 1 || (y.plane() < tiny_plane && y.n > 1));
}

/// A tensor [N, C, H', W'] in a layout for products.
template <class T>
[[nodiscard]] TensorView<T> laid_out(const Shape& shape, Buffer<T>& memory) {
  renew(memory, shape.size());
  if (shape.plane() >= tiny_plane) return {memory.data(), shape};
  return {memory.data(), shape, shape.plane(), shape.n * shape.plane()};
}

/// The same numbers as few images with long planes: [1, C, 1, N*K] where planes are tiny, else [N, C, 1, K].
/// requires: tiny planes lie as laid_out() puts them
template <class T>
[[nodiscard]] TensorView<T> as_rows(const TensorView<T>& x) {
  const Index plane = x.shape.plane();
  if (plane < tiny_plane) return {x.data, {1, x.shape.c, 1, x.shape.n * plane}, x.shape.n * x.stride_n, x.stride_c};
  return {x.data, {x.shape.n, x.shape.c, 1, plane}, x.stride_n, x.stride_c};
}

/// f(n, first, last) for channels [first, last) of image n, in parallel, so that all planes are covered. Tiny planes of
/// all images share cache lines once they are joined: these are one task's.
template <class F>
void for_each_band(const Shape& s, const F& f) {
  constexpr Index band = 64;  // channels of a task: memory is read in long runs
  const Index bands = (s.c + band - 1) / band;
  const Index images = s.plane() < tiny_plane ? s.n : 1;
  if (images == 0) return;
  parallel_for(s.n / images * bands, 1 + 4096 / (1 + band * images * s.plane()), [&](Index index) {
    const Index first = index % bands * band;
    const Index image = index / bands * images;
    for (Index n = image; n < image + images; ++n) f(n, first, std::min(s.c, first + band));
  });
}

/// to(n, c, y, x) = start(from(n, c, y s, x s))
template <class T>
void subsample(const TensorView<const T>& from, Index stride, const TensorView<T>& to, const ConvStart<T>& start = {}) {
  const Index rows = stride == 1 ? 1 : to.shape.h;  // a plane of which all is seen is one row
  const Index width = stride == 1 ? to.shape.plane() : to.shape.w;
  const Index row_step = stride * from.shape.w;
  /// load(row, x): the pixels from column x on that `to` has
  const auto go = [&](const auto& maps, auto own, const auto& load) {
    for_each_band(to.shape, [&](Index n, Index first, Index last) {
      for (Index c = first; c < last; ++c) {
        const auto f = maps.template of<T>(c);
        const T* row = from.plane(n, c);
        T* out = to.plane(n, c);
        for (Index y = 0; y < rows; ++y, row += row_step, out += width)
          for_each_pack<decltype(own)>(width, [&](Index x) { store(out + x, f(load(row, x))); });
      }
    });
  };
  start.visit([&](const auto& maps) {
    if (stride > 2) return go(maps, T{}, [&](const T* row, Index x) { return row[x * stride]; });
    with_pack<T>(width, [&](auto own) {
      using Own = decltype(own);
      if (stride == 1)
        go(maps, own, [](const T* row, Index x) { return load<Own>(row + x); });
      else
        go(maps, own, [](const T* row, Index x) { return load_every_second<Own>(row + 2 * x); });
    });
  });
}

/// to(n, c, y s, x s) = from(n, c, y, x), and 0 elsewhere
template <class T>
void spread(const TensorView<const T>& from, Index stride, const TensorView<T>& to) {
  const Shape s = from.shape;
  if (stride == 1) return subsample(from, 1, to);
  for_each_band(s, [&](Index n, Index first, Index last) {
    for (Index c = first; c < last; ++c) {
      const T* row = from.plane(n, c);
      T* out = to.plane(n, c);
      std::fill_n(out, to.shape.plane(), T{});
      for (Index y = 0; y < s.h; ++y, row += s.w, out += stride * to.shape.w)
        for (Index x = 0; x < s.w; ++x) out[x * stride] = row[x];
    }
  });
}

/// What a 1x1 convolution sees of x, laid out in memory that is kept for the next call.
template <class T>
[[nodiscard]] TensorView<const T> seen_pixels(const TensorView<const T>& x, Index stride, const Shape& y,
                                              const ConvStart<T>& start) {
  thread_local Buffer<T> memory;
  const TensorView<T> seen = laid_out({x.shape.n, x.shape.c, y.h, y.w}, memory);
  subsample(x, stride, seen, start);
  return as_rows<const T>(seen);
}

/// x as rows, tiny planes joined in memory that is kept for the next call.
template <class T>
[[nodiscard]] TensorView<const T> joined_planes(const TensorView<const T>& x) {
  if (x.shape.plane() >= tiny_plane || x.shape.n == 1) return as_rows(x);
  thread_local Buffer<T> memory;
  const TensorView<T> joined = laid_out(x.shape, memory);
  subsample(x, 1, joined);
  return as_rows<const T>(joined);
}

}  // namespace recal::cpu
