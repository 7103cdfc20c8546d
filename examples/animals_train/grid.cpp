// SPDX-License-Identifier: Apache-2.0
#include "grid.hpp"

#include <algorithm>

#include "augment.hpp"
#include "decode.hpp"
#include "lettering.hpp"
#include "random.hpp"

namespace animals {

namespace {

constexpr Colour background{24, 26, 30};
constexpr Colour ink{232, 234, 238};
constexpr Index gap = 4;
constexpr Index label_height = letter_height + 6;

/// The samples of each class in random order.
std::vector<std::vector<std::size_t>> by_class(const std::vector<Sample>& samples, std::size_t classes,
                                               std::uint64_t seed) {
  std::vector<std::vector<std::size_t>> result(classes);
  for (std::size_t i = 0; i < samples.size(); ++i) result[static_cast<std::size_t>(samples[i].label)].push_back(i);
  for (std::size_t c = 0; c < classes; ++c) shuffle(result[c], Random(seed, Purpose::show, {c}));
  return result;
}

/// The picture with its longer side at `tile`, or a random crop at tile x tile.
Image picture_for(const Image& image, const GridOptions& options, std::uint64_t key) {
  if (!options.augment) {
    const Index longer = std::max(image.width, image.height);
    const auto scaled = [&](Index side) { return std::max<Index>(1, (side * options.tile + longer / 2) / longer); };
    return resized(image, scaled(image.width), scaled(image.height));
  }
  const Crop crop = random_crop(image.width, image.height, Random(options.seed, Purpose::augment, {key}));
  std::vector<float> values;
  resample(image, crop.box, options.tile, options.tile, values);
  Image result(options.tile, options.tile);
  for (Index y = 0; y < options.tile; ++y)
    for (Index x = 0; x < options.tile; ++x)
      for (Index c = 0; c < 3; ++c) {
        const Index from = y * options.tile + (crop.flip ? options.tile - 1 - x : x);
        result.pixel(x, y)[c] = static_cast<std::uint8_t>(values[static_cast<std::size_t>(3 * from + c)] + 0.5F);
      }
  return result;
}

void paste(Image& canvas, const Image& picture, Index x, Index y) {
  for (Index row = 0; row < picture.height; ++row)
    std::copy_n(picture.pixel(0, row), 3 * picture.width, canvas.pixel(x, y + row));
}

}  // namespace

Image make_grid(const std::filesystem::path& root, const std::vector<Sample>& samples,
                const std::vector<std::string>& classes, const GridOptions& options, std::vector<Skipped>& skipped) {
  const Index rows = options.rows > 0 ? options.rows : static_cast<Index>(classes.size());
  const Index step_x = options.tile + gap;
  const Index step_y = options.tile + label_height + gap;
  Image canvas(options.columns * step_x + gap, rows * step_y + gap);
  fill_rectangle(canvas, 0, 0, canvas.width, canvas.height, background);

  auto left = by_class(samples, classes.size(), options.seed);
  const bool row_a_class = options.rows == 0;
  for (Index place = 0; place < rows * options.columns;) {
    const auto c =
        static_cast<std::size_t>(row_a_class ? place / options.columns : place % static_cast<Index>(classes.size()));
    if (left[c].empty()) {
      ++place;
      continue;
    }
    const Sample& sample = samples[left[c].back()];
    const std::uint64_t key = left[c].back();
    left[c].pop_back();
    try {
      const Image image = load_image(root / sample.file, {.short_side = options.tile});
      const Image picture = picture_for(image, options, key);
      const Index x = gap + place % options.columns * step_x;
      const Index y = gap + place / options.columns * step_y;
      paste(canvas, picture, x + (options.tile - picture.width) / 2, y + (options.tile - picture.height) / 2);
      const std::string label = classes[c].substr(0, static_cast<std::size_t>(options.tile / letter_step));
      const Index width = static_cast<Index>(label.size()) * letter_step - 1;
      write_letters(canvas, x + (options.tile - width) / 2, y + options.tile + 3, label, ink);
      ++place;
    } catch (const failure& problem) {
      skipped.push_back({sample.file, problem.what()});
    }
  }
  return canvas;
}

}  // namespace animals
