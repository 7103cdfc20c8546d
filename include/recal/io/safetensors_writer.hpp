// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recal/core/error.hpp>
#include <recal/core/shape.hpp>
#include <recal/io/atomic_file.hpp>
#include <recal/io/dtype.hpp>
#include <recal/io/json_text.hpp>
#include <recal/io/safetensors_header.hpp>

namespace recal::io {

/// Collects tensors and text pairs, and writes them as a safetensors file.
///
/// The same content gives the same bytes, in whatever order it was added: tensors lie by falling element type, then
/// by name, as the format's own library lays them; text pairs are sorted by key.
class SafetensorsWriter {
 public:
  /// Sets a pair of `__metadata__`; a later value of the same key replaces the earlier one.
  void set_metadata(std::string key, std::string value) {
    metadata_.insert_or_assign(std::move(key), std::move(value));
  }

  /// Adds a tensor, row-major; the values are copied.
  /// error: the name is in use or reserved, or shape and number of values disagree
  template <Element T>
  void add(const std::string& name, const std::vector<Index>& shape, std::span<const T> values) {
    std::vector<std::byte> copy(values.size_bytes());
    if (!copy.empty()) std::memcpy(copy.data(), values.data(), copy.size());
    Entry& entry = insert<T>(name, shape, values.size());
    entry.owned = std::move(copy);
    entry.bytes = entry.owned;
  }

  /// Adds a tensor without copying: the values must stay alive until the file is written.
  template <Element T>
  void add_view(const std::string& name, const std::vector<Index>& shape, std::span<const T> values) {
    insert<T>(name, shape, values.size()).bytes = std::as_bytes(values);
  }

  /// Writes atomically: `path` is the old file or the whole new one, never a part. error: the file cannot be written
  void save(const std::filesystem::path& path) const {
    AtomicFile file(path);
    write_to([&file](std::span<const std::byte> bytes) { file.write(bytes); });
    file.commit();
  }

  /// The file in memory.
  [[nodiscard]] std::vector<std::byte> to_bytes() const {
    std::vector<std::byte> result;
    write_to([&result](std::span<const std::byte> bytes) { result.insert(result.end(), bytes.begin(), bytes.end()); });
    return result;
  }

 private:
  struct Entry {
    Dtype dtype = Dtype::f32;
    std::vector<Index> shape;
    std::vector<std::byte> owned;
    std::span<const std::byte> bytes;
  };
  using Named = std::pair<const std::string, Entry>;

  template <class T>
  Entry& insert(const std::string& name, const std::vector<Index>& shape, std::size_t count) {
    check(name != "__metadata__", "safetensors: a tensor cannot be called __metadata__");
    check(!entries_.contains(name), "safetensors: tensor ", detail::shown(name), " is added twice");
    check(shape.size() <= SafetensorsHeader::max_rank, "safetensors: tensor ", detail::shown(name), " has ",
          shape.size(), " sizes, at most ", SafetensorsHeader::max_rank, " are allowed");
    std::size_t product = 1;
    for (const Index size : shape) product *= static_cast<std::size_t>(size);
    const bool negative = std::any_of(shape.begin(), shape.end(), [](Index size) { return size < 0; });
    check(!negative && product == count, "safetensors: tensor ", detail::shown(name), " of shape ", shape_text(shape),
          " is given ", count, " values");
    Entry& entry = entries_[name];
    entry.dtype = dtype_of<T>();
    entry.shape = shape;
    return entry;
  }

  [[nodiscard]] std::vector<const Named*> in_order() const {
    std::vector<const Named*> order;
    for (const Named& named : entries_) order.push_back(&named);
    std::stable_sort(order.begin(), order.end(),
                     [](const Named* a, const Named* b) { return a->second.dtype > b->second.dtype; });
    return order;
  }

  [[nodiscard]] std::string header(const std::vector<const Named*>& order) const {
    std::string json = "{";
    const auto comma = [&json] { json += json.back() == '{' ? "" : ","; };
    if (!metadata_.empty()) {
      json += "\"__metadata__\":{";
      for (const auto& [key, value] : metadata_) {
        comma();
        json += json_string(key) + ":" + json_string(value);
      }
      json += "}";
    }
    std::uint64_t begin = 0;
    for (const Named* named : order) {
      const auto& [name, entry] = *named;
      const std::uint64_t end = begin + entry.bytes.size();
      comma();
      json += json_string(name) + ":{\"dtype\":\"" + to_string(entry.dtype) + "\",\"shape\":[";
      for (std::size_t i = 0; i < entry.shape.size(); ++i) {
        if (i > 0) json += ',';
        json += std::to_string(entry.shape[i]);
      }
      json += "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
      begin = end;
    }
    json += "}";
    json.append((8 - json.size() % 8) % 8, ' ');
    check(json.size() <= SafetensorsHeader::max_bytes, "safetensors: the header would have ", json.size(),
          " bytes, at most ", SafetensorsHeader::max_bytes, " are allowed");
    return json;
  }

  template <class Sink>
  void write_to(Sink&& sink) const {
    const std::vector<const Named*> order = in_order();
    const std::string json = header(order);
    const std::uint64_t length = json.size();
    sink(std::as_bytes(std::span(&length, 1)));
    sink(std::as_bytes(std::span(json)));
    for (const Named* named : order) sink(named->second.bytes);
  }

  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace recal::io
