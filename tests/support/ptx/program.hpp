// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include <cxxabi.h>

#include <recal/core/error.hpp>

#include "tests/support/ptx/access.hpp"
#include "tests/support/ptx/decode.hpp"
#include "tests/support/ptx/parse.hpp"

namespace recal::testing::ptx {

/// The name that a mangled one stands for; itself where it is none.
[[nodiscard]] inline std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  return status == 0 ? std::string(text.get()) : std::string(name);
}

[[nodiscard]] inline std::string without_spaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

/// The entries of one PTX file, decoded.
class Program {
 public:
  explicit Program(std::string_view source) {
    Module module = Parser(source).module();
    Symbols symbols;
    for (const Variable& variable : module.variables)
      if (variable.space != "shared") symbols[variable.name] = {variable.space, keep(variable)};
    for (Function& function : module.functions) entries_.push_back(linked(function, module, symbols));
  }

  [[nodiscard]] static Program load(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    check(file.good(), "cannot read ", path.string());
    const std::string source{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    try {
      return Program(source);
    } catch (const error& problem) {
      fail(path.string(), ": ", problem.what());
    }
  }

  [[nodiscard]] const std::list<Entry>& entries() const { return entries_; }

  /// errors: no entry of that name
  [[nodiscard]] const Entry& named(std::string_view name) const {
    const std::string wanted = without_spaces(std::string(name));
    for (const Entry& entry : entries_)
      if (without_spaces(entry.name) == wanted) return entry;
    fail("the ptx has no entry ", name);
  }

  /// The entry of a kernel. kernel: its type as demangled
  [[nodiscard]] const Entry& entry(const std::string& kernel) const {
    return named("void recal::cuda::entry<" + kernel + ">(" + kernel + ")");
  }
  template <class Kernel>
  [[nodiscard]] const Entry& entry() const {
    return entry(demangled(typeid(Kernel).name()));
  }

  /// The tables that the program brings are memory that its kernels may read.
  void add_tables_to(Memory& memory) const {
    for (const Table& table : tables_) memory.add(table.first, table.bytes, table.writable);
  }

 private:
  struct Table {
    std::unique_ptr<std::byte[]> owner;
    std::byte* first = nullptr;
    std::size_t bytes = 0;
    bool writable = false;
  };

  [[nodiscard]] std::uint64_t keep(const Variable& variable) {
    Table& table = tables_.emplace_back();
    std::size_t room = variable.bytes + variable.align;
    table.owner = std::make_unique<std::byte[]>(room);
    void* first = table.owner.get();
    table.first = static_cast<std::byte*>(std::align(variable.align, variable.bytes, first, room));
    table.bytes = variable.bytes;
    table.writable = variable.space == "global";
    std::copy(variable.content.begin(), variable.content.end(), table.first);
    return Memory::address(table.first);
  }

  [[nodiscard]] static std::size_t placed(std::size_t& end, const Variable& variable) {
    const std::size_t first = (end + variable.align - 1) / variable.align * variable.align;
    end = first + variable.bytes;
    return first;
  }

  [[nodiscard]] static bool mentions(const Operand& operand, std::string_view name) {
    return operand.name == name || std::any_of(operand.parts.begin(), operand.parts.end(),
                                               [&](const Operand& part) { return mentions(part, name); });
  }
  [[nodiscard]] static bool mentions(const Function& function, std::string_view name) {
    return std::any_of(function.statements.begin(), function.statements.end(), [&](const Statement& statement) {
      return std::any_of(statement.operands.begin(), statement.operands.end(),
                         [&](const Operand& operand) { return mentions(operand, name); });
    });
  }

  /// Parameters in order; shared memory with what the launch adds at its end.
  static void place_variables(Function& function, const Module& module, Symbols& symbols, Entry& entry) {
    for (const Variable& param : function.params) symbols[param.name] = {"param", placed(entry.param_bytes, param)};
    for (const Variable& variable : function.variables)
      symbols[variable.name] = {variable.space,
                                variable.space == "shared" ? placed(entry.shared_bytes, variable) : std::size_t{0}};
    for (const bool external : {false, true})
      for (const Variable& variable : module.variables)
        if (variable.space == "shared" && variable.external == external && mentions(function, variable.name))
          symbols[variable.name] = {"shared", placed(entry.shared_bytes, variable)};
  }

  [[nodiscard]] static Entry linked(Function& function, const Module& module, Symbols symbols) {
    Entry entry;
    entry.name = demangled(function.name.c_str());
    entry.local = function.local;
    place_variables(function, module, symbols, entry);
    for (const Statement& statement : function.statements) {
      Decoder decoder = decode::decoded(statement, function, symbols);
      if (!decoder.branch_targets.empty()) {
        decoder.out.offset = static_cast<std::int64_t>(entry.branch_tables.size());
        auto& table = entry.branch_tables.emplace_back();
        for (const std::string& target : decoder.branch_targets) table.push_back(decoder.label(target));
      }
      entry.code.push_back(decoder.out);
      entry.source.push_back({statement.line, statement.text});
      count_access(entry, statement, decoder.out.count);
    }
    close(entry, function);
    return entry;
  }

  /// A body that runs off its end is left there.
  static void close(Entry& entry, const Function& function) {
    Instruction end;
    end.run = leave;
    entry.code.push_back(end);
    entry.source.push_back({function.line, "the end of the body"});
    entry.frame = function.frame;
    entry.specials = function.specials;
  }

  static void count_access(Entry& entry, const Statement& statement, std::size_t count) {
    const auto& opcode = statement.opcode;
    const auto has = [&](std::string_view part) {
      return std::find(opcode.begin(), opcode.end(), part) != opcode.end();
    };
    const bool load = opcode.front() == "ld" || opcode.front() == "ldu";
    entry.local = entry.local || has("local");
    if ((!load && opcode.front() != "st") || has("shared") || has("shared::cta") || has("param") || has("const") ||
        has("local"))
      return;
    const std::string_view type = opcode.back();
    const std::size_t bits = type.ends_with("8") ? 8 : std::stoul(std::string(type.substr(type.size() - 2)));
    (load ? entry.loads : entry.stores) += 1;
    (load ? entry.loads_128 : entry.stores_128) += bits * count == 128 ? 1 : 0;
  }

  std::list<Entry> entries_;
  std::list<Table> tables_;
};

}  // namespace recal::testing::ptx
