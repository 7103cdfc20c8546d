// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <recal/core/error.hpp>
#include <recal/core/visit.hpp>
#include <recal/io/names.hpp>
#include <recal/io/safetensors.hpp>

namespace recal::io {

struct LoadOptions {
  /// Only the file's tensors whose names begin so are looked at, and this part is dropped: "model.".
  std::string prefix;
  /// What of the layer begins with one of these keeps its values, and what of the file does is not looked at:
  /// {"fc."} where the number of classes differs. Names are recal's.
  std::vector<std::string> ignore;
};

struct LoadReport {
  /// Arrays of the layer that were read, in the layer's order.
  std::vector<std::string> loaded;
  /// Arrays of the layer that kept their values because of LoadOptions::ignore.
  std::vector<std::string> kept;
  /// Tensors of the file, by their names there, that were not looked at because of LoadOptions::ignore.
  std::vector<std::string> skipped;
};

namespace detail {

[[nodiscard]] inline bool begins_with_any(std::string_view name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [name](const std::string& prefix) { return name.starts_with(prefix); });
}

/// The file's tensors under recal's names. error: two of them have the same
[[nodiscard]] inline std::map<std::string, std::string> names_in_file(const SafetensorsFile& file,
                                                                      const LoadOptions& options, LoadReport& report) {
  std::map<std::string, std::string> result;
  for (const auto& [name, info] : file.tensors()) {
    if (!name.starts_with(options.prefix)) continue;
    const std::string own = canonical_name(std::string_view(name).substr(options.prefix.size()));
    if (begins_with_any(own, options.ignore)) {
      report.skipped.push_back(name);
      continue;
    }
    const auto [other, is_new] = result.emplace(own, name);
    check(is_new, file.source(), ": tensors ", shown(other->second), " and ", shown(name), " are both ", own);
  }
  return result;
}

/// Why the tensor cannot be read into the array; empty where it can.
template <class T>
[[nodiscard]] std::string misfit(const std::string& name, const std::vector<Index>& shape, const TensorInfo& info) {
  if (!same_sizes(info.shape, shape))
    return name + " has shape " + shape_text(info.shape) + " in the file, " + shape_text(shape) + " in the network";
  const bool readable = is_batch_count(name) ? convertible<Index>(info.dtype) || convertible<double>(info.dtype)
                                             : convertible<T>(info.dtype);
  return readable
             ? ""
             : name + " is " + to_string(info.dtype) + " in the file, " + to_string(dtype_of<T>()) + " in the network";
}

template <class T>
[[nodiscard]] std::vector<T> read_array(const SafetensorsFile& file, const std::string& in_file, bool batch_count) {
  if (!batch_count) return file.read<T>(in_file);
  const bool integers = convertible<Index>(file.tensor(in_file).dtype);
  const auto count = integers ? static_cast<double>(file.read<Index>(in_file).at(0)) : file.read<double>(in_file).at(0);
  check(count >= 0 && count < 0x1p53, file.source(), ": ", in_file, " is ", count, ", expected a count");
  return {static_cast<T>(count)};
}

}  // namespace detail

/// Adds every parameter and state of `layer` to `writer` as <prefix><full name>. The values are not copied: write
/// the file before they change. Counts of batches become I64 scalars, as torchvision has them.
template <class Layer>
void add_state(SafetensorsWriter& writer, const Layer& layer, const std::string& prefix = "") {
  for_each_leaf(layer, [&](const std::string& name, const auto& leaf) {
    using T = typename std::remove_cvref_t<decltype(leaf.value)>::value_type;
    if (is_batch_count(name)) {
      const Index count = static_cast<Index>(std::llround(static_cast<double>(leaf.value.at(0))));
      writer.add(prefix + name, {}, std::span<const Index>(&count, 1));
    } else {
      writer.add_view(prefix + name, leaf.shape, std::span<const T>(leaf.value));
    }
  });
}

/// Writes every parameter and state of `layer` to a safetensors file, atomically.
template <class Layer>
void save_state(const Layer& layer, const std::filesystem::path& path) {
  SafetensorsWriter writer;
  add_state(writer, layer);
  writer.save(path);
}

/// Reads every parameter and state of `layer`, by full name; gradients are left alone. Names of other code are
/// understood as canonical_name() says, shapes that differ in ones only are taken as equal, and floating-point types
/// are converted. Counts of batches may be missing and then keep their values.
///
/// error: tensors that are missing, unexpected, or wrong in shape or type: all of them in one message. Nothing is
///   written when it throws.
template <class Layer>
LoadReport load_state(Layer& layer, const SafetensorsFile& file, const LoadOptions& options = {}) {
  LoadReport report;
  std::map<std::string, std::string> in_file = detail::names_in_file(file, options, report);
  std::string missing;
  std::string wrong;
  std::vector<std::function<void()>> reads;
  std::vector<std::function<void()>> writes;

  for_each_leaf(layer, [&](const std::string& name, auto& leaf) {
    using T = typename std::remove_cvref_t<decltype(leaf.value)>::value_type;
    if (detail::begins_with_any(name, options.ignore)) return report.kept.push_back(name);
    const auto found = in_file.find(name);
    if (found == in_file.end()) {
      if (!is_batch_count(name)) missing += "\n  missing: " + name + " " + shape_text(leaf.shape);
      return;
    }
    const std::string source = found->second;
    in_file.erase(found);
    const std::string misfit = detail::misfit<T>(name, leaf.shape, file.tensor(source));
    if (!misfit.empty()) {
      wrong += "\n  wrong: " + misfit;
      return;
    }
    reads.emplace_back([&file, &writes, &leaf, source, counts = is_batch_count(name)] {
      writes.emplace_back([&leaf, values = detail::read_array<T>(file, source, counts)] {
        std::copy(values.begin(), values.end(), leaf.value.begin());
      });
    });
    report.loaded.push_back(name);
  });

  std::string unexpected;
  for (const auto& [own, name] : in_file)
    unexpected += "\n  unexpected: " + detail::shown(name) + " " + shape_text(file.tensor(name).shape);
  const std::string faults = missing + unexpected + wrong;
  check(faults.empty(), file.source(), ": does not fit the network:", faults);
  for (const auto& read : reads) read();
  for (const auto& write : writes) write();
  return report;
}

/// As above, from a file.
template <class Layer>
LoadReport load_state(Layer& layer, const std::filesystem::path& path, const LoadOptions& options = {}) {
  return load_state(layer, SafetensorsFile::open(path), options);
}

}  // namespace recal::io
