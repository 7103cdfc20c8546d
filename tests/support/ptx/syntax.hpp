// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recal/core/error.hpp>

namespace recal::testing::ptx {

/// 64 bits of a thread's frame, which holds its registers, the constants and the special registers that it reads.
using SlotIndex = std::uint16_t;

/// What stands between the commas of an instruction.
struct Operand {
  enum class Kind { slot, single_literal, double_literal, integer_literal, name, list, address };
  Kind kind = Kind::slot;
  SlotIndex slot = 0;          ///< of a register, a literal, or an address' base
  std::string name;            ///< of a label or variable; also an address' base, where it is not a register
  std::int64_t offset = 0;     ///< of an address
  std::vector<Operand> parts;  ///< of {a, b} and of p|q
  bool negated = false;        ///< !p
};

struct Statement {
  int line = 0;
  std::string text;
  std::vector<std::string> opcode;  ///< cut at the dots
  std::vector<Operand> operands;
  bool guarded = false;
  bool guard_negated = false;
  SlotIndex guard = 0;
};

/// A parameter, or a variable in shared, global or constant memory.
struct Variable {
  std::string name;
  std::string space;
  std::size_t align = 1;
  std::size_t bytes = 0;
  bool external = false;
  std::vector<std::byte> content;
};

/// A special register, and the slot in which a thread finds it.
struct Special {
  std::string name;
  SlotIndex slot = 0;
};

/// An entry as it was written, with its registers numbered.
struct Function {
  std::string name;
  int line = 0;
  std::vector<Variable> params;
  std::vector<Variable> variables;
  std::vector<Statement> statements;
  std::map<std::string, std::size_t, std::less<>> labels;
  std::map<std::string, std::vector<std::string>, std::less<>> branch_targets;
  std::vector<Special> specials;
  std::vector<std::uint64_t> frame{0};  ///< what every thread's slots hold at first; slot 0 is always 0
  std::map<std::uint64_t, SlotIndex> constants{{0, 0}};
  bool local = false;

  static constexpr std::uint64_t uninitialised = 0xfff7fffffff7ffffULL;

  [[nodiscard]] SlotIndex new_slot(std::uint64_t content = uninitialised) {
    check(frame.size() < 0xffff, "ptx: ", name, " has too many registers");
    frame.push_back(content);
    return static_cast<SlotIndex>(frame.size() - 1);
  }
  [[nodiscard]] SlotIndex constant(std::uint64_t bits) {
    const auto found = constants.find(bits);
    return found != constants.end() ? found->second : constants[bits] = new_slot(bits);
  }
  [[nodiscard]] SlotIndex special(std::string_view register_name) {
    for (const Special& known : specials)
      if (known.name == register_name) return known.slot;
    return specials.emplace_back(Special{std::string(register_name), new_slot()}).slot;
  }
};

struct Module {
  std::vector<Variable> variables;
  std::vector<Function> functions;
};

}  // namespace recal::testing::ptx
