// SPDX-License-Identifier: Apache-2.0
#include "file_bytes.hpp"

#include <fstream>

#include "text.hpp"

namespace animals {

Bytes read_bytes(const std::filesystem::path& path, std::uintmax_t most) {
  std::error_code fault;
  const auto status = std::filesystem::status(path, fault);
  if (!std::filesystem::exists(status)) fail("there is no such file");
  if (std::filesystem::is_directory(status)) fail("is a folder");
  if (!std::filesystem::is_regular_file(status)) fail("is no ordinary file");
  const auto size = std::filesystem::file_size(path, fault);
  if (fault) fail("cannot be read: ", fault.message());
  if (size > most) fail("is ", size, " bytes long, more than the ", most, " allowed");
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("cannot be opened");
  Bytes bytes(static_cast<std::size_t>(size));
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (static_cast<std::uintmax_t>(in.gcount()) != size) fail("cannot be read to its end");
  return bytes;
}

std::string read_text(const std::filesystem::path& path) {
  try {
    const Bytes bytes = read_bytes(path);
    return {bytes.begin(), bytes.end()};
  } catch (const failure& problem) {
    fail(path.string(), ": ", problem.what());
  }
}

std::uint64_t content_hash(ByteSpan bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3U;
  return hash;
}

}  // namespace animals
