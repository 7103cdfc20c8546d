// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>

#include <recal/core/visit.hpp>
#include <recal/io/safetensors.hpp>
#include <recal/io/safetensors_writer.hpp>
#include <recal/io/state_dict.hpp>

namespace recal::train {

/// Text pairs that travel with a checkpoint: step, epoch, what the run was, ...
using Notes = std::map<std::string, std::string>;

namespace detail {

/// Several layers as one, for functions that take one.
template <class... Layers>
struct Together {
  std::tuple<Layers&...> layers;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    std::apply([&v](auto&... layer) { (v("", layer), ...); }, self.layers);
  }
};

}  // namespace detail

/// Writes every parameter and state of the layers and the notes into one safetensors file, atomically. Give the model
/// for a file that others read (its names are the model's own), model and optimiser for one to go on from. Cost: the
/// values are written once, not copied. errors: two arrays of one name; the file cannot be written, and then the old
/// one is untouched
template <class... Layers>
void save_checkpoint(const std::filesystem::path& path, const Notes& notes, const Layers&... layers) {
  io::SafetensorsWriter writer;
  for (const auto& [key, value] : notes) writer.set_metadata(key, value);
  (io::add_state(writer, layers), ...);
  writer.save(path);
}

/// Options that read a model from a checkpoint with or without an optimiser.
[[nodiscard]] inline io::LoadOptions without_momenta() {
  io::LoadOptions options;
  options.ignore = {"momentum."};
  return options;
}

/// Reads every parameter and state of the layers and gives the notes. Gradients are left alone.
/// To read the model alone from a file that may hold an optimiser's momenta, give without_momenta().
/// errors: as io::load_state(); nothing is written then
template <class... Layers>
Notes load_checkpoint(const std::filesystem::path& path, const io::LoadOptions& options, Layers&... layers) {
  const io::SafetensorsFile file = io::SafetensorsFile::open(path);
  detail::Together<Layers...> together{{layers...}};
  io::load_state(together, file, options);
  return {file.metadata().begin(), file.metadata().end()};
}

/// load_checkpoint() of a file that holds what the layers hold and nothing else.
template <class... Layers>
  requires(!std::same_as<std::remove_const_t<Layers>, io::LoadOptions> && ...)
Notes load_checkpoint(const std::filesystem::path& path, Layers&... layers) {
  return load_checkpoint(path, io::LoadOptions{}, layers...);
}

}  // namespace recal::train
