// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recal/core/error.hpp>
#include <recal/core/shape.hpp>
#include <recal/io/dtype.hpp>
#include <recal/io/input_file.hpp>
#include <recal/io/safetensors_header.hpp>
#include <recal/io/safetensors_writer.hpp>

namespace recal::io {

/// A safetensors file, or the same in memory: 8 bytes little-endian header length, JSON header, data.
///
/// Opening reads and checks the header only; a tensor's bytes are read when they are asked for. Every size is checked
/// against the file before it is trusted. Reading is const and safe from several threads.
class SafetensorsFile {
 public:
  /// error: the file cannot be read, or is not safetensors to the letter
  [[nodiscard]] static SafetensorsFile open(const std::filesystem::path& path) {
    SafetensorsFile result;
    result.file_ = std::make_shared<const InputFile>(path);
    result.source_ = path.string();
    result.read_header(result.file_->size());
    return result;
  }

  /// Reads from `bytes`, which must outlive the result; `source` names them in messages.
  [[nodiscard]] static SafetensorsFile from_memory(std::span<const std::byte> bytes, std::string source = "memory") {
    SafetensorsFile result;
    result.memory_ = bytes;
    result.source_ = std::move(source);
    result.read_header(bytes.size());
    return result;
  }

  /// The name of the file, for messages.
  [[nodiscard]] const std::string& source() const noexcept { return source_; }

  /// Every tensor by name, in alphabetical order.
  [[nodiscard]] const auto& tensors() const noexcept { return header_.tensors; }

  /// The text pairs of `__metadata__`.
  [[nodiscard]] const auto& metadata() const noexcept { return header_.metadata; }

  [[nodiscard]] bool has(std::string_view name) const { return header_.tensors.contains(name); }

  /// dtype and shape. error: no such tensor
  [[nodiscard]] const TensorInfo& tensor(std::string_view name) const {
    const auto found = header_.tensors.find(name);
    if (found == header_.tensors.end()) fail(source_, ": has no tensor ", detail::shown(name));
    return found->second;
  }

  /// The bytes as they lie in the file.
  [[nodiscard]] std::vector<std::byte> bytes(std::string_view name) const {
    const TensorInfo& info = tensor(name);
    std::vector<std::byte> out(static_cast<std::size_t>(info.byte_count()));
    read_at(data_begin_ + info.begin, out);
    return out;
  }

  /// Copies the tensor into `out`, converted as decode() does.
  /// error: no such tensor, out.size() differs from its size, or its type is not convertible
  template <Element T>
  void read_into(std::string_view name, std::span<T> out) const {
    const TensorInfo& info = tensor(name);
    check(out.size() == info.size(), label(name), " has ", info.size(), " elements, expected ", out.size());
    if (info.dtype == dtype_of<T>())
      read_at(data_begin_ + info.begin, std::as_writable_bytes(out));
    else
      decode(label(name), info.dtype, bytes(name), out);
  }

  /// The tensor's elements in row-major order.
  template <Element T>
  [[nodiscard]] std::vector<T> read(std::string_view name) const {
    std::vector<T> out(tensor(name).size());
    read_into(name, std::span<T>(out));
    return out;
  }

 private:
  SafetensorsFile() = default;

  [[nodiscard]] std::string label(std::string_view name) const { return source_ + ": tensor " + detail::shown(name); }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const {
    if (file_)
      file_->read(offset, out);
    else if (!out.empty())
      std::memcpy(out.data(), memory_.data() + offset, out.size());
  }

  void read_header(std::uint64_t file_bytes) {
    check(file_bytes >= 8, source_, ": has ", file_bytes, " bytes, a safetensors file has at least 8");
    std::array<std::byte, 8> prefix{};
    read_at(0, prefix);
    std::uint64_t length = 0;
    std::memcpy(&length, prefix.data(), 8);
    check(length <= SafetensorsHeader::max_bytes, source_, ": says that its header has ", length, " bytes, at most ",
          SafetensorsHeader::max_bytes, " are allowed");
    check(length <= file_bytes - 8, source_, ": says that its header has ", length, " bytes, the file has ",
          file_bytes - 8, " left");
    std::string json(static_cast<std::size_t>(length), '\0');
    read_at(8, std::as_writable_bytes(std::span(json)));
    data_begin_ = 8 + length;
    header_ = parse_safetensors_header(json, file_bytes - data_begin_, source_);
  }

  std::string source_;
  std::shared_ptr<const InputFile> file_;
  std::span<const std::byte> memory_;
  std::uint64_t data_begin_ = 0;
  SafetensorsHeader header_;
};

}  // namespace recal::io
