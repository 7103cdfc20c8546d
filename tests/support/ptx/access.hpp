// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tests/support/ptx/instruction.hpp"

namespace recal::testing::ptx {

enum class Space : std::uint8_t { generic, global, constant, shared, param };

[[nodiscard]] inline std::byte* shared_bytes(const Instruction& i, Thread& t, std::uint64_t offset, std::size_t bytes) {
  auto& shared = t.block->shared;
  if (offset + bytes > shared.size() || offset + bytes < offset)
    fault(i, t, bytes, " bytes at ", offset, " are outside the ", shared.size(), " of shared memory");
  return shared.data() + offset;
}

template <bool store>
[[nodiscard]] std::byte* global_bytes(const Instruction& i, Thread& t, std::uint64_t address, std::size_t bytes,
                                      bool counted) {
  Memory& memory = *t.block->memory;
  if (!memory.holds(address, bytes, store))
    fault(i, t, bytes, " bytes at ", address, " are in no memory that may be ", store ? "written" : "read");
  Traffic& traffic = memory.traffic;
  if (counted) {
    (store ? traffic.bytes_stored : traffic.bytes_loaded) += bytes;
    (store ? t.block->stored : t.block->loaded).push_back({&i, t.index, address, bytes});
    (store ? traffic.stores : traffic.loads) += 1;
    (store ? traffic.stores_128 : traffic.loads_128) += bytes == 16 ? 1 : 0;
  }
  return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(address));
}

/// The bytes that an instruction means. errors: outside of what may be used, or not aligned to their number
template <Space space, bool store>
[[nodiscard]] std::byte* resolve(const Instruction& i, Thread& t, std::size_t bytes) {
  std::uint64_t address = t.slots[i.from[0]] + static_cast<std::uint64_t>(i.offset);
  if constexpr (space == Space::shared) address &= 0xffffffffU;
  if (address % bytes != 0) fault(i, t, bytes, " bytes at ", address, " are not aligned");
  if constexpr (space == Space::shared) {
    return shared_bytes(i, t, address, bytes);
  } else {
    if (space == Space::generic && address >= shared_window) return shared_bytes(i, t, address - shared_window, bytes);
    return global_bytes<store>(i, t, address, bytes, space != Space::constant);
  }
}

[[nodiscard]] inline const std::byte* param_bytes(const Instruction& i, Thread& t, std::size_t bytes) {
  const std::uint64_t offset = t.slots[i.from[0]] + static_cast<std::uint64_t>(i.offset);
  const std::size_t size = t.block->entry->param_bytes;
  if (offset + bytes > size || offset + bytes < offset)
    fault(i, t, bytes, " bytes at ", offset, " are outside the ", size, " of parameters");
  return t.block->params + offset;
}

template <class T, Space space>
void load(const Instruction& i, Thread& t) {
  const std::size_t bytes = sizeof(T) * i.count;
  const std::byte* from = nullptr;
  if constexpr (space == Space::param)
    from = param_bytes(i, t, bytes);
  else
    from = resolve<space, false>(i, t, bytes);
  for (std::size_t k = 0; k < i.count; ++k) {
    T value;
    std::memcpy(&value, from + k * sizeof(T), sizeof(T));
    put(t, i.list[k], value);
  }
}

template <class T, Space space>
void store(const Instruction& i, Thread& t) {
  std::byte* to = resolve<space, true>(i, t, sizeof(T) * i.count);
  for (std::size_t k = 0; k < i.count; ++k) {
    const T value = get<T>(t, i.list[k]);
    std::memcpy(to + k * sizeof(T), &value, sizeof(T));
  }
}

inline void local_access(const Instruction& i, Thread& t) { fault(i, t, "no local memory is wanted"); }

/// cvta.shared and cvta.to.shared
template <bool from_generic>
void convert_shared_address(const Instruction& i, Thread& t) {
  const std::uint64_t address = t.slots[i.from[0]];
  t.slots[i.to] = from_generic ? address - shared_window : address + shared_window;
}

template <class T>
void move(const Instruction& i, Thread& t) {
  put(t, i.to, get<T>(t, i.from[0]));
}

/// mov.b32 d, {a, b} of parts of T, the first lowest; and mov.b32 {a, b}, d
template <class T>
void pack(const Instruction& i, Thread& t) {
  Slot result = 0;
  for (unsigned k = 0; k < i.count; ++k) result |= static_cast<Slot>(get<T>(t, i.list[k])) << (k * sizeof(T) * 8);
  t.slots[i.to] = result;
}
template <class T>
void unpack(const Instruction& i, Thread& t) {
  const Slot whole = t.slots[i.from[0]];
  for (unsigned k = 0; k < i.count; ++k) put(t, i.list[k], static_cast<T>(whole >> (k * sizeof(T) * 8)));
}

inline void branch(const Instruction& i, Thread& t) { t.at = t.block->entry->code.data() + i.offset; }
inline void branch_table(const Instruction& i, Thread& t) {
  const auto& table = t.block->entry->branch_tables[static_cast<std::size_t>(i.offset)];
  const auto choice = get<std::uint32_t>(t, i.from[0]);
  if (choice >= table.size()) fault(i, t, "branch ", choice, " of ", table.size());
  t.at = t.block->entry->code.data() + table[choice];
}
inline void leave(const Instruction&, Thread& t) { t.state = Thread::State::done; }
inline void trap(const Instruction& i, Thread& t) { fault(i, t, "the kernel traps"); }
inline void nothing(const Instruction&, Thread&) {}
inline void wait_for_block(const Instruction& i, Thread& t) {
  t.state = Thread::State::at_barrier;
  t.at = &i;
}
inline void wait_for_warp(const Instruction& i, Thread& t) {
  t.state = Thread::State::in_collective;
  t.at = &i;
}

}  // namespace recal::testing::ptx
