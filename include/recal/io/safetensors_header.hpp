// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <recal/core/error.hpp>
#include <recal/core/shape.hpp>
#include <recal/io/dtype.hpp>
#include <recal/io/json_text.hpp>

namespace recal::io {

/// What the header says of one tensor. Its bytes are [begin, end) of the data behind the header.
struct TensorInfo {
  Dtype dtype = Dtype::f32;
  std::vector<Index> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::uint64_t byte_count() const noexcept { return end - begin; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(byte_count() / item_size(dtype)); }
};

/// The JSON part of a safetensors file, checked.
struct SafetensorsHeader {
  /// The longest header that is read, in bytes; the format's own limit.
  static constexpr std::uint64_t max_bytes = 100'000'000;
  static constexpr std::size_t max_rank = 64;

  std::map<std::string, TensorInfo, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

/// "[64, 3, 7, 7]"
[[nodiscard]] inline std::string shape_text(const std::vector<Index>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

namespace detail {

/// A name from a file as it appears in messages: in quotes, without control characters, cut where it is very long.
[[nodiscard]] inline std::string shown(std::string_view name) {
  constexpr std::size_t longest = 120;
  std::string text = "\"";
  for (const char c : name.substr(0, longest)) text += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return text + (name.size() > longest ? "...\"" : "\"");
}

/// Reads the header
///   {"__metadata__": {string: string, ...}, name: {"dtype": string, "shape": [...], "data_offsets": [begin, end]},
///   ...}
/// and checks each tensor by itself.
class HeaderParser {
 public:
  HeaderParser(std::string_view json, std::string_view source) : scan_(json, source), source_(source) {}

  [[nodiscard]] SafetensorsHeader parse() {
    bool has_metadata = false;
    scan_.object("an object", [&](const std::string& name) {
      const bool is_metadata = name == "__metadata__";
      const bool again = is_metadata ? std::exchange(has_metadata, true) : header_.tensors.contains(name);
      check(!again, source_, ": the header has the key ", shown(name), " twice");
      if (is_metadata)
        metadata();
      else
        tensor(name);
    });
    scan_.end();
    return std::move(header_);
  }

 private:
  void metadata() {
    scan_.object("an object of strings as __metadata__", [&](const std::string& key) {
      check(!header_.metadata.contains(key), source_, ": __metadata__ has the key ", shown(key), " twice");
      header_.metadata.emplace(key, scan_.string("a string in __metadata__"));
    });
  }

  void tensor(const std::string& name) {
    const std::string label = std::string(source_) + ": tensor " + shown(name);
    TensorInfo info;
    std::set<std::string, std::less<>> seen;
    scan_.object("an object for tensor " + shown(name), [&](const std::string& field) {
      check(seen.insert(field).second, label, " has the key ", shown(field), " twice");
      if (field == "dtype")
        info.dtype = dtype(label);
      else if (field == "shape")
        info.shape = shape(label);
      else if (field == "data_offsets")
        std::tie(info.begin, info.end) = data_offsets(label);
      else
        fail(label, " has the key ", shown(field), ", expected dtype, shape and data_offsets");
    });
    for (const std::string_view field : {"dtype", "shape", "data_offsets"})
      check(seen.contains(field), label, " has no ", field);
    check_size(label, info);
    header_.tensors.emplace(name, std::move(info));
  }

  [[nodiscard]] Dtype dtype(const std::string& label) {
    const std::string text = scan_.string("a string as dtype");
    const auto result = parse_dtype(text);
    check(result.has_value(), label, " has dtype ", shown(text),
          ", known are BOOL U8 I8 I16 U16 F16 BF16 I32 U32 F32 F64 I64 U64");
    return *result;
  }

  [[nodiscard]] std::vector<Index> shape(const std::string& label) {
    constexpr Index largest = std::numeric_limits<Index>::max();
    std::vector<Index> result;
    scan_.list("a list as shape", [&] {
      const std::uint64_t size = scan_.unsigned_integer("a non-negative integer in shape");
      check(size <= static_cast<std::uint64_t>(largest), label, " has the size ", size, " in its shape, at most ",
            largest, " is possible");
      check(result.size() < SafetensorsHeader::max_rank, label, " has more than ", SafetensorsHeader::max_rank,
            " sizes in its shape");
      result.push_back(static_cast<Index>(size));
    });
    return result;
  }

  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> data_offsets(const std::string& label) {
    std::array<std::uint64_t, 2> result{};
    std::size_t count = 0;
    scan_.list("a list as data_offsets", [&] {
      const std::uint64_t number = scan_.unsigned_integer("a non-negative integer in data_offsets");
      check(count < 2, label, " has more than 2 numbers in data_offsets");
      result[count++] = number;
    });
    check(count == 2, label, " has ", count, " numbers in data_offsets, expected 2");
    return {result[0], result[1]};
  }

  static void check_size(const std::string& label, const TensorInfo& info) {
    check(info.begin <= info.end, label, " begins at byte ", info.begin, " and ends at ", info.end);
    std::uint64_t bytes = item_size(info.dtype);
    for (const Index size : info.shape) {
      const auto factor = static_cast<std::uint64_t>(size);
      if (factor != 0 && bytes > std::numeric_limits<std::uint64_t>::max() / factor)
        fail(label, " of shape ", shape_text(info.shape), " has more bytes than 64 bits can count");
      bytes *= factor;
    }
    if (bytes != info.byte_count())
      fail(label, " of ", info.dtype, " ", shape_text(info.shape), " needs ", bytes, " bytes, its data_offsets span ",
           info.byte_count());
  }

  JsonScanner scan_;
  std::string_view source_;
  SafetensorsHeader header_;
};

/// The tensors must follow each other without overlap or hole, and fill the data.
inline void check_layout(const SafetensorsHeader& header, std::uint64_t data_bytes, std::string_view source) {
  using Entry = std::pair<const std::string, TensorInfo>;
  std::vector<const Entry*> order;
  for (const Entry& entry : header.tensors) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
  });
  std::uint64_t end = 0;
  std::string_view before;
  for (const Entry* entry : order) {
    const auto& [name, info] = *entry;
    check(info.end <= data_bytes, source, ": tensor ", shown(name), " ends at byte ", info.end,
          " of the data, which has ", data_bytes);
    check(info.begin >= end, source, ": tensor ", shown(name), " begins at byte ", info.begin, " and overlaps tensor ",
          shown(before), ", which ends at ", end);
    check(info.begin == end, source, ": bytes ", end, " to ", info.begin, " before tensor ", shown(name),
          " belong to no tensor");
    end = info.end;
    before = name;
  }
  check(end == data_bytes, source, ": the tensors end at byte ", end, " of the data, which has ", data_bytes);
}

}  // namespace detail

/// Reads the JSON of a safetensors file in front of `data_bytes` bytes of data; `source` names the file in messages.
/// error: anything that the format does not allow: JSON that is broken, repeats a key or has another structure;
///   unknown dtypes; shapes whose product overflows; offsets that contradict shape and dtype, leave the data,
///   overlap or leave holes
[[nodiscard]] inline SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                                                std::string_view source) {
  check(!json.empty() && json.front() == '{', source, ": the header does not begin with {");
  SafetensorsHeader header = detail::HeaderParser(json, source).parse();
  detail::check_layout(header, data_bytes, source);
  return header;
}

}  // namespace recal::io
