// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <recal/core/error.hpp>

#include "tests/support/ptx/coalesce.hpp"
#include "tests/support/ptx/memory.hpp"
#include "tests/support/ptx/syntax.hpp"
#include "tests/support/ptx/value.hpp"

namespace recal::testing::ptx {

struct Instruction;
struct Thread;
using Handler = void (*)(const Instruction&, Thread&);

enum class Compare : std::uint8_t { eq, ne, lt, le, gt, ge, equ, neu, ltu, leu, gtu, geu, num, nan };
enum class Combine : std::uint8_t { none, both, either, differ };
/// What a warp does together.
enum class Collective : std::uint8_t {
  none,
  sync,
  shuffle_index,
  shuffle_up,
  shuffle_down,
  shuffle_butterfly,
  vote_all,
  vote_any,
  vote_uniform,
  ballot,
  match_any,
  reduce_add,
  reduce_and,
  reduce_or,
  reduce_xor,
  reduce_min,
  reduce_max
};

/// One instruction, decoded: a function and the slots that it works on.
struct Instruction {
  static constexpr SlotIndex nowhere = 0xffff;

  Handler run = nullptr;
  std::int64_t offset = 0;  ///< of an address, or the index of the instruction that a branch goes to
  SlotIndex guard = nowhere;
  SlotIndex to = nowhere;
  SlotIndex to_second = nowhere;
  std::array<SlotIndex, 4> from{nowhere, nowhere, nowhere, nowhere};
  std::array<SlotIndex, 8> list{};  ///< a vector's registers
  std::uint8_t count = 1;           ///< how many
  bool guard_negated = false;
  bool negated = false;  ///< the predicate that is combined with
  bool flush = false;    ///< denormals to zero
  bool saturate = false;
  bool carry_in = false;
  bool carry_out = false;
  Rounding rounding = Rounding::nearest;
  Compare compare = Compare::eq;
  Combine combine = Combine::none;
  Collective collective = Collective::none;
  std::uint8_t immediate = 0;
};

/// An entry, ready to run.
struct Entry {
  struct Source {
    int line = 0;
    std::string text;
  };

  std::string name;  ///< demangled
  std::size_t param_bytes = 0;
  std::size_t shared_bytes = 0;  ///< without what a launch adds
  bool local = false;
  std::vector<Instruction> code;
  std::vector<Source> source;  ///< of each instruction
  std::vector<Slot> frame;
  std::vector<Special> specials;
  std::vector<std::vector<std::int64_t>> branch_tables;
  /// Instructions in the text that move 16 bytes of global memory, and all that move any.
  int loads_128 = 0;
  int stores_128 = 0;
  int loads = 0;
  int stores = 0;
};

/// What the threads of a block share.
struct Block {
  const Entry* entry = nullptr;
  Memory* memory = nullptr;
  const std::byte* params = nullptr;
  std::vector<std::byte> shared;
  std::int64_t index = 0;
  std::vector<Access> loaded;  ///< by the warp that runs, since the last barrier
  std::vector<Access> stored;
};

struct Thread {
  enum class State : std::uint8_t { ready, at_barrier, in_collective, done };

  const Instruction* at = nullptr;  ///< the next one, or the one at which it waits
  Slot* slots = nullptr;
  Block* block = nullptr;
  int index = 0;
  State state = State::ready;
  bool carry = false;
};

/// Where shared memory lies among generic addresses: no host pointer is as large.
inline constexpr std::uint64_t shared_window = std::uint64_t{1} << 62U;

template <class T>
[[nodiscard]] T get(const Thread& thread, SlotIndex slot) {
  return read<T>(thread.slots[slot]);
}
template <class T>
void put(const Thread& thread, SlotIndex slot, T value) {
  write<T>(thread.slots[slot], value);
}

template <class... Parts>
[[noreturn]] void fault(const Instruction& i, const Thread& thread, const Parts&... parts) {
  const Entry& entry = *thread.block->entry;
  const auto& source = entry.source[static_cast<std::size_t>(&i - entry.code.data())];
  fail(entry.name, ", block ", thread.block->index, ", thread ", thread.index, ", ptx line ", source.line, " '",
       source.text, "': ", parts...);
}

}  // namespace recal::testing::ptx
