// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/conv_finish.hpp>
#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/patch_grid.hpp>
#include <recal/backend/cpu/pixel_product.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/backend/cpu/winograd.hpp>
#include <recal/backend/cpu/winograd_tiles.hpp>
#include <recal/backend/cpu/winograd_weights.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/unrolled.hpp>

/// Products of pixels with weights by Winograd's algorithm.
namespace recal::cpu {

/// What one task needs; every thread keeps its own and reuses it.
template <class T, class W>
struct WinogradScratch {
  WinogradTiles<T, W> tiles;
  std::vector<Index> offsets;
  Buffer<T> products;  ///< (panel, point, tile, channel of the panel)
  Buffer<T> sums;      ///< (pixel, channel of the panel)
};

template <class T, class W>
[[nodiscard, gnu::noinline]] WinogradScratch<T, W>& winograd_scratch() {
  thread_local WinogradScratch<T, W> scratch;
  return scratch;
}

namespace detail {

/// The products of a panel's channels with all tiles at all points, over `depth` channels whose tiles are at `offsets`:
/// to products[point*point_step + tile*Block<T>::columns + channel]. panel_of(point, k): the panel from channel k on.
template <class T, class W, class PanelOf>
void multiply_points(const WinogradTiles<T, W>& tiles, const std::vector<Index>& offsets, Index depth, Index columns,
                     const PanelOf& panel_of, T* products, Index point_step, bool add) {
  using B = Block<T>;
  for (Index p = 0; p < W::points; ++p, products += point_step)
    for (Index k = 0; k < depth; k += W::depth)
      for_each_block<B>(tiles.count(), [&](Index first, Index rows) {
        const Left<T, Adjacent> left{tiles.point(p) + k * tiles.count() + first, offsets.data(), {}};
        multiply_block<B>(rows, columns, std::min(W::depth, depth - k), left, Right<T>{panel_of(p, k), B::columns},
                          products + first * B::columns, B::columns, add || k > 0);
      });
}

/// Sums of a panel's channels at the pixels of a row of tiles, `width` pixels a row, from its products at all points.
template <class T, class W>
void transform_products(const typename WinogradTiles<T, W>::Row& row, Index width, const T* products, Index point_step,
                        T* sums) {
  using P = pack_for<T>;
  constexpr Index columns = Block<T>::columns;
  for (Index x = 0; x < width; x += W::outputs, products += columns)
    for (Index j = 0; j < columns; j += P::lanes) {
      winograd::Row<P, W::points> values;
      unrolled<W::points>([&](auto p) { values[p] = load<P>(products + p * point_step + j); });
      const auto made = winograd::along_both<W::side, W::outputs>(values, typename W::ToOutput{});
      T* to = sums + (row.pixel + x) * columns + j;
      unrolled<W::outputs>([&](auto h) {
        if (h >= row.height) return;
        unrolled<W::outputs>([&](auto w) {
          if (w < width - x) store(to + (h * width + w) * columns, made[h * W::outputs + w]);
        });
      });
    }
}

}  // namespace detail

/// y(channel o, pixel p) = finish(sum_k weights(k, o) pixel(p, k)) for the pixels and channels of one tile, as
/// multiply_pixels(), of a kernel 3x3 and stride 1.
/// requires: the tile begins and ends as WinogradTiles want it
template <class T, class W>
void multiply_winograd(const TensorView<const T>& x, Index channels, const PatchGrid& grid, const Tile& tile,
                       const WinogradWeights<T, W>& weights, Index group, const TensorView<T>& y,
                       const ConvFinish<T>& finish, const ConvStart<T>& start) {
  using B = Block<T>;
  constexpr Index most_numbers = Index{1} << 18U;  // of tiles, which stay in the second cache
  auto& [tiles, offsets, products, sums] = winograd_scratch<T, W>();
  const Index pixels = tile.last - tile.first;
  const Index chunks = (channels * W::points * pixels / (W::outputs * W::outputs) + most_numbers - 1) / most_numbers;
  const Index chunk = (channels + chunks - 1) / chunks;
  tiles.prepare(x, grid, tile.first, tile.last, chunk, start);
  const Index panels = (tile.channel_end - tile.channel + B::columns - 1) / B::columns;
  const Index point_step = tiles.count() * B::columns;
  const Index panel_step = chunk == channels ? 0 : W::points * point_step;
  resize(products, W::points * point_step + (panels - 1) * panel_step);
  resize(sums, pixels * B::columns);
  offsets.clear();
  for (Index c = 0; c < chunk; ++c) offsets.push_back(c * tiles.count());
  for (Index c = 0; c < channels; c += chunk) {
    const Index own = std::min(chunk, channels - c);
    tiles.load(c, own);
    T* panel = products.data();
    for (Index o = tile.channel; o < tile.channel_end; o += B::columns, panel += panel_step) {
      const Index outputs = std::min(B::columns, tile.channel_end - o);
      const auto panel_of = [&](Index p, Index k) { return weights.panel(group, p, o / B::columns, c + k); };
      detail::multiply_points<T, W>(tiles, offsets, own, B::columns_for(outputs), panel_of, panel, point_step, c > 0);
      if (c + own < channels) continue;
      const T* from = panel;
      for (const auto& row : tiles.rows()) {
        detail::transform_products<T, W>(row, grid.out_w, from, point_step, sums.data());
        from += tiles.row_tiles() * B::columns;
      }
      write_tile(tile, grid.positions(), o, outputs, sums.data(), y, finish);
    }
  }
}

/// How multiply_winograd() likes to be called: as multiply_pixels(), by rows of tiles.
template <class T, class W>
[[nodiscard]] TaskGrid::Sizes winograd_tile_sizes(const PatchGrid& grid, Index images, Index channels,
                                                  Index least_channels) {
  TaskGrid::Sizes sizes = tile_sizes<T>(grid, images, channels, least_channels);
  sizes.most_pixels = W::task_pixels;
  sizes.unit = W::outputs * grid.out_w;
  return sizes;
}

}  // namespace recal::cpu
