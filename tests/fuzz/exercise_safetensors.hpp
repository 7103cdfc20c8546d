// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <recal/io/safetensors.hpp>

namespace recal::testing {

/// Takes arbitrary bytes for a safetensors file and reads everything in it. Returns whether they are one; throws what
/// is no recal::error where the reader breaks a promise.
inline bool exercise_safetensors(std::span<const std::byte> bytes) {
  const auto demand = [](bool ok, const char* what) {
    if (!ok) throw std::logic_error(what);
  };
  try {
    const auto file = io::SafetensorsFile::from_memory(bytes, "fuzz");
    io::SafetensorsWriter copy;
    for (const auto& [key, value] : file.metadata()) copy.set_metadata(key, value);
    for (const auto& entry : file.tensors()) {
      const std::string& name = entry.first;
      const io::TensorInfo& info = entry.second;
      const std::vector<std::byte> raw = file.bytes(name);
      demand(raw.size() == info.size() * io::item_size(info.dtype), "the bytes of a tensor are not its size");
      io::detail::with_element(info.dtype, [&]<class T>(std::type_identity<T>) {
        if (info.dtype != io::Dtype::boolean) copy.add(name, info.shape, std::span<const T>(file.read<T>(name)));
      });
      if (io::convertible<float>(info.dtype)) demand(file.read<float>(name).size() == info.size(), "a short tensor");
    }
    const std::vector<std::byte> written = copy.to_bytes();
    const auto again = io::SafetensorsFile::from_memory(written, "written");
    demand(again.metadata() == file.metadata(), "metadata changes by writing it");
    for (const auto& [name, info] : again.tensors())
      demand(info.shape == file.tensor(name).shape && again.bytes(name) == file.bytes(name),
             "a tensor changes by writing it");
    return true;
  } catch (const error&) {
    return false;
  }
}

}  // namespace recal::testing
