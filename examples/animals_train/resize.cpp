// SPDX-License-Identifier: Apache-2.0
#include "resize.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace animals {

namespace {

/// For each output position the first source position and the weights from there on, which sum to 1.
struct Filter {
  Index taps = 0;
  std::vector<Index> first;
  std::vector<Index> count;
  std::vector<float> weight;

  [[nodiscard]] const float* weights(Index i) const { return weight.data() + i * taps; }
};

Filter triangle(double start, double length, Index source, Index target) {
  const double step = length / static_cast<double>(target);
  const double reach = std::max(1.0, step);
  Filter filter;
  filter.taps = 2 * static_cast<Index>(std::ceil(reach)) + 1;
  filter.first.resize(static_cast<std::size_t>(target));
  filter.count.resize(static_cast<std::size_t>(target));
  filter.weight.assign(static_cast<std::size_t>(target * filter.taps), 0.0F);
  std::vector<double> raw(static_cast<std::size_t>(filter.taps));
  for (Index i = 0; i < target; ++i) {
    const double centre = start + (static_cast<double>(i) + 0.5) * step;
    const Index low = std::clamp<Index>(static_cast<Index>(std::floor(centre - reach + 0.5)), 0, source - 1);
    const Index high = std::clamp<Index>(static_cast<Index>(std::floor(centre + reach + 0.5)), low + 1,
                                         std::min(source, low + filter.taps));
    double sum = 0.0;
    for (Index s = low; s < high; ++s) {
      const double away = std::abs(static_cast<double>(s) + 0.5 - centre) / reach;
      raw[static_cast<std::size_t>(s - low)] = std::max(0.0, 1.0 - away);
      sum += raw[static_cast<std::size_t>(s - low)];
    }
    filter.first[static_cast<std::size_t>(i)] = low;
    filter.count[static_cast<std::size_t>(i)] = high - low;
    float* weight = filter.weight.data() + i * filter.taps;
    for (Index s = 0; s < high - low; ++s)
      weight[s] = sum > 0.0 ? static_cast<float>(raw[static_cast<std::size_t>(s)] / sum) : (s == 0 ? 1.0F : 0.0F);
  }
  return filter;
}

/// One source row to `width` pixels.
void shrink_row(const std::uint8_t* row, const Filter& filter, Index width, float* out) {
  for (Index x = 0; x < width; ++x) {
    const auto i = static_cast<std::size_t>(x);
    const std::uint8_t* from = row + 3 * filter.first[i];
    const float* weight = filter.weights(x);
    float r = 0.0F;
    float g = 0.0F;
    float b = 0.0F;
    for (Index k = 0; k < filter.count[i]; ++k, from += 3) {
      r += weight[k] * static_cast<float>(from[0]);
      g += weight[k] * static_cast<float>(from[1]);
      b += weight[k] * static_cast<float>(from[2]);
    }
    out[3 * x] = r;
    out[3 * x + 1] = g;
    out[3 * x + 2] = b;
  }
}

}  // namespace

void resample(const Image& source, const Box& box, Index width, Index height, std::vector<float>& out) {
  const Filter across = triangle(box.x, box.width, source.width, width);
  const Filter down = triangle(box.y, box.height, source.height, height);
  const Index top = down.first.front();
  const Index bottom = down.first.back() + down.count.back();
  const Index stride = 3 * width;
  std::vector<float> rows(static_cast<std::size_t>((bottom - top) * stride));
  for (Index y = top; y < bottom; ++y) shrink_row(source.pixel(0, y), across, width, rows.data() + (y - top) * stride);

  out.assign(static_cast<std::size_t>(height * stride), 0.0F);
  for (Index y = 0; y < height; ++y) {
    const auto i = static_cast<std::size_t>(y);
    float* to = out.data() + y * stride;
    for (Index k = 0; k < down.count[i]; ++k) {
      const float weight = down.weights(y)[k];
      const float* from = rows.data() + (down.first[i] + k - top) * stride;
      for (Index e = 0; e < stride; ++e) to[e] += weight * from[e];
    }
  }
}

Image resized(const Image& source, Index width, Index height) {
  std::vector<float> values;
  const Box whole{0, 0, static_cast<double>(source.width), static_cast<double>(source.height)};
  resample(source, whole, width, height, values);
  Image result(width, height);
  std::transform(values.begin(), values.end(), result.rgb.begin(),
                 [](float v) { return static_cast<std::uint8_t>(std::clamp(v + 0.5F, 0.0F, 255.0F)); });
  return result;
}

Image reduced(Image source, Index short_side) {
  const Index shorter = std::min(source.width, source.height);
  if (shorter <= short_side) return source;
  const auto scaled = [&](Index side) { return std::max(short_side, (side * short_side + shorter / 2) / shorter); };
  return resized(source, scaled(source.width), scaled(source.height));
}

}  // namespace animals
