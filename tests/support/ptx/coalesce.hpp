// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

namespace recal::testing::ptx {

/// One access of one thread to global memory.
struct Access {
  const void* instruction;
  int thread;
  std::uint64_t address;
  std::uint64_t bytes;
};

/// The bytes that a warp's accesses ask memory for: what several lanes read at one address by one instruction is asked
/// for once. The n-th time that a lane comes to an instruction goes together with the n-th time of the others.
[[nodiscard]] inline std::uint64_t coalesced_bytes(const std::vector<Access>& accesses) {
  std::map<std::pair<const void*, int>, int> times;
  std::vector<std::tuple<const void*, int, std::uint64_t, std::uint64_t>> asked;
  asked.reserve(accesses.size());
  for (const Access& a : accesses)
    asked.emplace_back(a.instruction, times[{a.instruction, a.thread}]++, a.address, a.bytes);
  std::sort(asked.begin(), asked.end());
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  std::uint64_t bytes = 0;
  for (const auto& one : asked) bytes += std::get<3>(one);
  return bytes;
}

}  // namespace recal::testing::ptx
