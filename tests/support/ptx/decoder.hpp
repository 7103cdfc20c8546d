// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recal/core/error.hpp>

#include "tests/support/ptx/instruction.hpp"
#include "tests/support/ptx/syntax.hpp"

namespace recal::testing::ptx {

/// Where a variable lies: an offset into shared memory or the parameters, or the host's address.
struct Symbol {
  std::string space;
  std::uint64_t address = 0;
};
using Symbols = std::map<std::string, Symbol, std::less<>>;

/// One statement on its way to an instruction: modifiers and operands are taken from it until none is left.
class Decoder {
 public:
  Decoder(const Statement& statement, Function& function, const Symbols& symbols)
      : statement_(statement),
        function_(function),
        symbols_(symbols),
        modifiers_(statement.opcode.begin() + 1, statement.opcode.end()) {
    if (statement.guarded) {
      out.guard = statement.guard;
      out.guard_negated = statement.guard_negated;
    }
  }

  Instruction out;
  std::vector<std::string> branch_targets;  ///< of brx.idx

  [[noreturn]] void refuse(std::string_view what) const {
    fail("ptx line ", statement_.line, ": ", what, ": ", statement_.text);
  }
  [[nodiscard]] std::string_view mnemonic() const { return statement_.opcode.front(); }

  /// Whether the modifier stands there; it is taken.
  bool take(std::string_view modifier) {
    const auto found = std::find(modifiers_.begin(), modifiers_.end(), modifier);
    if (found == modifiers_.end()) return false;
    modifiers_.erase(found);
    return true;
  }
  void take_any_of(std::initializer_list<std::string_view> modifiers) {
    for (const std::string_view modifier : modifiers) take(modifier);
  }
  void take_prefixed(std::string_view prefix) {
    std::erase_if(modifiers_, [&](const std::string& modifier) { return modifier.starts_with(prefix); });
  }
  [[nodiscard]] std::string next_modifier() const { return modifiers_.empty() ? std::string() : modifiers_.front(); }

  [[nodiscard]] Type type() {
    const Type found = modifiers_.empty() ? Type::none : type_named(modifiers_.front());
    if (found == Type::none) refuse("unknown modifier or type '" + next_modifier() + "'");
    modifiers_.erase(modifiers_.begin());
    return found;
  }

  /// .rn and its kind, .ftz and .sat
  void arithmetic_modifiers() {
    take("rn");
    if (take("rz")) out.rounding = Rounding::zero;
    if (take("rm")) out.rounding = Rounding::down;
    if (take("rp")) out.rounding = Rounding::up;
    out.flush = take("ftz");
    out.saturate = take("sat");
  }

  [[nodiscard]] bool more() const { return at_ < statement_.operands.size(); }
  [[nodiscard]] const Operand& peek() const {
    if (!more()) refuse("an operand is missing");
    return statement_.operands[at_];
  }
  [[nodiscard]] const Operand& peek_second() const {
    if (at_ + 1 >= statement_.operands.size()) refuse("an operand is missing");
    return statement_.operands[at_ + 1];
  }
  const Operand& next() {
    const Operand& operand = peek();
    ++at_;
    return operand;
  }

  [[nodiscard]] SlotIndex slot(const Operand& operand, Type type) {
    const bool wide = type == Type::f64 || type == Type::u64 || type == Type::s64;
    const bool real = type == Type::f32 || type == Type::f64 || type == Type::f16 || type == Type::bf16;
    switch (operand.kind) {
      case Operand::Kind::slot:
        return operand.slot;
      case Operand::Kind::integer_literal:
        if (real) refuse("an integer where a floating-point number is needed");
        return operand.slot;
      case Operand::Kind::single_literal:
        if (type != Type::f32 && type != Type::u32) refuse("a single-precision literal of another type");
        return operand.slot;
      case Operand::Kind::double_literal:
        if (!wide || type == Type::s64) refuse("a double-precision literal of another type");
        return operand.slot;
      case Operand::Kind::name:
        return function_.constant(symbol(operand.name).address);
      default:
        refuse("an operand of a kind that does not fit");
    }
  }

  void to(Type type) {
    const Operand& operand = next();
    if (operand.kind == Operand::Kind::list) return to_pair(operand);
    if (operand.kind != Operand::Kind::slot) refuse("the result is not a register");
    out.to = slot(operand, type);
  }
  void source(std::size_t number, Type type) {
    const Operand& operand = next();
    if (operand.negated && type != Type::pred) refuse("! before what is no predicate");
    out.from[number] = slot(operand, type);
    if (operand.negated) out.negated = true;
  }
  void sources(std::size_t count, Type type) {
    for (std::size_t number = 0; number < count; ++number) source(number, type);
  }
  /// {a, b, c, d}, or one register
  void vector(const Operand& operand, Type type, std::size_t count) {
    const bool list = operand.kind == Operand::Kind::list;
    if ((list ? operand.parts.size() : 1) != count || count > out.list.size()) refuse("a vector of another length");
    for (std::size_t k = 0; k < count; ++k) out.list[k] = slot(list ? operand.parts[k] : operand, type);
    out.count = static_cast<std::uint8_t>(count);
  }

  /// [register + offset] or [variable + offset], which must be of the space
  void address(std::string_view space) {
    const Operand& operand = next();
    if (operand.kind != Operand::Kind::address) refuse("an address is needed");
    out.from[0] = operand.slot;
    out.offset = operand.offset;
    if (operand.name.empty()) return;
    const Symbol& found = symbol(operand.name);
    if (found.space != space) refuse(operand.name + " lies in ." + found.space);
    out.offset += static_cast<std::int64_t>(found.address);
  }

  [[nodiscard]] std::int64_t label(std::string_view name) const {
    const auto found = function_.labels.find(name);
    if (found == function_.labels.end()) refuse("unknown label " + std::string(name));
    return static_cast<std::int64_t>(found->second);
  }
  [[nodiscard]] const std::vector<std::string>& targets(std::string_view name) const {
    const auto found = function_.branch_targets.find(name);
    if (found == function_.branch_targets.end()) refuse("unknown branch targets " + std::string(name));
    return found->second;
  }
  [[nodiscard]] std::uint64_t constant(const Operand& operand) const {
    if (operand.kind != Operand::Kind::integer_literal) refuse("a constant is needed");
    return function_.frame[operand.slot];
  }

  void finish() const {
    if (!modifiers_.empty()) refuse("unknown modifier '" + modifiers_.front() + "'");
    if (more()) refuse("too many operands");
    if (out.run == nullptr) refuse("no such instruction for this type");
  }

 private:
  void to_pair(const Operand& operand) {
    if (operand.parts.size() != 2) refuse("two results at most");
    out.to = operand.parts[0].slot;
    out.to_second = operand.parts[1].slot;
  }
  [[nodiscard]] const Symbol& symbol(std::string_view name) const {
    const auto found = symbols_.find(name);
    if (found == symbols_.end()) refuse("unknown name " + std::string(name));
    return found->second;
  }

  const Statement& statement_;
  Function& function_;
  const Symbols& symbols_;
  std::vector<std::string> modifiers_;
  std::size_t at_ = 0;
};

template <class... T>
struct Types {};
using Integers = Types<std::uint16_t, std::uint32_t, std::uint64_t, std::int16_t, std::int32_t, std::int64_t>;
using WideIntegers = Types<std::uint32_t, std::uint64_t, std::int32_t, std::int64_t>;
using BitTypes = Types<std::uint16_t, std::uint32_t, std::uint64_t>;
using Floats = Types<float, double, Half, Brain>;
using AllFloats = Types<float, double, Half, Brain, Two<Half>, Two<Brain>>;

/// f.operator()<T>() for the T that is meant; no handler where it is none of them.
template <class... T, class F>
[[nodiscard]] Handler pick(Types<T...>, Type type, const F& f) {
  Handler found = nullptr;
  ((type == type_of<T> ? void(found = f.template operator()<T>()) : void()), ...);
  return found;
}

[[nodiscard]] inline bool is_float(Type type) { return type >= Type::f16; }

}  // namespace recal::testing::ptx
