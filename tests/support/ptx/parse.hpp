// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recal/core/error.hpp>

#include "tests/support/ptx/scope.hpp"
#include "tests/support/ptx/syntax.hpp"
#include "tests/support/ptx/token.hpp"

namespace recal::testing::ptx {

/// Reads the PTX of nvcc. errors: whatever it does not know, with the line
class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(Lexer(source).tokens()) {
    for (std::size_t at = 0; at <= source.size();) {
      const std::size_t end = std::min(source.find('\n', at), source.size());
      lines_.push_back(source.substr(at, end - at));
      at = end + 1;
    }
  }

  [[nodiscard]] Module module() {
    while (peek().kind != Token::Kind::end) directive();
    return std::move(module_);
  }

 private:
  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool take(std::string_view text) {
    const bool found = peek().is(text);
    if (found) next();
    return found;
  }
  [[noreturn]] void unknown(const Token& token, std::string_view what) const {
    fail("ptx line ", token.line, ": ", what, " at '", token.text, "': ", line_text(token.line));
  }
  void expect(std::string_view text) {
    if (!take(text)) unknown(peek(), "expected '" + std::string(text) + "'");
  }
  [[nodiscard]] std::string line_text(int line) const {
    const std::string_view text = lines_[static_cast<std::size_t>(line - 1)];
    const std::size_t first = text.find_first_not_of(" \t");
    return std::string(first == std::string_view::npos ? "" : text.substr(first));
  }

  void skip_braces() {
    expect("{");
    for (int depth = 1; depth > 0;) {
      if (peek().kind == Token::Kind::end) unknown(peek(), "expected '}'");
      const Token& token = next();
      depth += token.is("{") ? 1 : token.is("}") ? -1 : 0;
    }
  }
  void skip_to(std::string_view stop) {
    while (!peek().is(stop) && peek().kind != Token::Kind::end) next();
    expect(stop);
  }

  void directive() {
    const Token& token = next();
    if (token.is(".version") || token.is(".target") || token.is(".address_size")) {
      header(token.line);
    } else if (token.is(".visible") || token.is(".weak") || token.is(".common")) {
      return;
    } else if (token.is(".entry")) {
      entry();
    } else if (token.is(".func")) {
      skip_function();
    } else if (token.is(".section")) {
      next();
      skip_braces();
    } else if (token.is(".pragma")) {
      skip_to(";");
    } else if (token.is(".extern") || token.is(".shared") || token.is(".global") || token.is(".const")) {
      const bool external = token.is(".extern");
      module_.variables.push_back(variable(external ? next().text.substr(1) : token.text.substr(1), external));
      expect(";");
    } else {
      unknown(token, "unknown directive");
    }
  }

  void header(int line) {
    while (peek().line == line && peek().kind != Token::Kind::end) next();
  }

  /// Calls are refused where they stand; what they would call is of no interest.
  void skip_function() {
    while (!peek().is("{") && !peek().is(";")) {
      if (peek().kind == Token::Kind::end) unknown(peek(), "expected the body of a function");
      next();
    }
    if (!take(";")) skip_braces();
  }

  [[nodiscard]] static std::size_t bytes_of(std::string_view type) {
    constexpr std::array<std::pair<std::string_view, std::size_t>, 4> widths{
        {{"8", 1}, {"16", 2}, {"32", 4}, {"64", 8}}};
    for (const auto& [digits, bytes] : widths)
      if (type.size() == digits.size() + 2 && type.ends_with(digits)) return bytes;
    return 0;
  }

  /// .align 8 .b8 name[24] = {1, 2}
  [[nodiscard]] Variable variable(std::string_view space, bool external) {
    Variable result;
    result.space = std::string(space);
    result.external = external;
    std::size_t width = 0;
    bool aligned = false;
    while (peek().text.starts_with('.')) {
      const Token& word = next();
      if (word.is(".align")) {
        const auto align = static_cast<std::size_t>(integer());
        if (width == 0) result.align = align;
        aligned = true;
      } else if (!word.is(".ptr") && !word.is(".global") && !word.is(".attribute") && !word.is(".managed")) {
        width = bytes_of(word.text);
        if (width == 0) unknown(word, "unknown type");
        if (!aligned) result.align = width;
      }
    }
    result.name = std::string(next().text);
    result.bytes = width;
    while (take("[")) {
      result.bytes *= peek().is("]") ? 0 : static_cast<std::size_t>(integer());
      expect("]");
    }
    if (take("=")) initial(result, width);
    return result;
  }

  void initial(Variable& variable, std::size_t width) {
    variable.content.resize(variable.bytes);
    std::size_t at = 0;
    const bool list = take("{");
    do {
      const std::uint64_t value = literal().second;
      check(at + width <= variable.bytes, "ptx: ", variable.name, " has too many initial values");
      std::memcpy(variable.content.data() + at, &value, width);
      at += width;
    } while (take(","));
    if (list) expect("}");
  }

  [[nodiscard]] std::int64_t integer() {
    const auto [kind, bits] = literal();
    if (kind != Operand::Kind::integer_literal) unknown(peek(), "expected an integer");
    return static_cast<std::int64_t>(bits);
  }

  [[nodiscard]] std::pair<Operand::Kind, std::uint64_t> literal() {
    const bool negative = take("-");
    const Token& token = next();
    if (token.kind != Token::Kind::number) unknown(token, "expected a number");
    std::string digits(token.text);
    const std::string start = digits.substr(0, 2);
    if (!negative && (start == "0f" || start == "0F"))
      return {Operand::Kind::single_literal, std::stoull(digits.substr(2), nullptr, 16)};
    if (!negative && (start == "0d" || start == "0D"))
      return {Operand::Kind::double_literal, std::stoull(digits.substr(2), nullptr, 16)};
    if (digits.back() == 'U') digits.pop_back();
    std::size_t used = 0;
    const std::uint64_t value = std::stoull(digits, &used, 0);
    if (used != digits.size()) unknown(token, "not a number");
    return {Operand::Kind::integer_literal, negative ? ~value + 1 : value};
  }

  void entry() {
    Function& function = module_.functions.emplace_back();
    function.line = peek().line;
    function.name = std::string(next().text);
    if (take("(")) {
      while (!take(")")) {
        expect(".param");
        function.params.push_back(variable("param", false));
        take(",");
      }
    }
    while (!peek().is("{")) {
      if (!peek().text.starts_with('.')) unknown(peek(), "expected the body of an entry");
      header(peek().line);
    }
    body(function);
  }

  void body(Function& function) {
    Scopes scopes;
    do {
      if (take("{"))
        scopes.open();
      else if (take("}"))
        scopes.close();
      else
        line(function, scopes);
    } while (scopes.depth() > 0);
  }

  void line(Function& function, Scopes& scopes) {
    const Token& first = peek();
    if (first.kind == Token::Kind::end) unknown(first, "expected '}'");
    if (take(".reg")) return registers(function, scopes);
    if (take(".pragma")) return skip_to(";");
    if (take(".shared")) return declare(function, variable("shared", false));
    if (take(".local")) {
      function.local = true;
      return declare(function, variable("local", false));
    }
    if (peek(1).is(":")) return label(function);
    if (first.is(".param")) unknown(first, "functions are not supported, a call stands");
    if (first.text.starts_with('.')) unknown(first, "unknown directive");
    function.statements.push_back(statement(function, scopes));
  }

  void declare(Function& function, Variable variable) {
    function.variables.push_back(std::move(variable));
    expect(";");
  }

  void registers(Function& function, Scopes& scopes) {
    next();
    do {
      const std::string_view name = next().text;
      if (take("<")) {
        scopes.declare(function, name, static_cast<std::size_t>(integer()));
        expect(">");
      } else {
        scopes.declare(function, name);
      }
    } while (take(","));
    expect(";");
  }

  void label(Function& function) {
    const Token& name = next();
    expect(":");
    if (take(".branchtargets")) {
      auto& targets = function.branch_targets[std::string(name.text)];
      do {
        targets.emplace_back(next().text);
      } while (take(","));
      expect(";");
      return;
    }
    if (!function.labels.emplace(name.text, function.statements.size()).second) unknown(name, "a second label");
  }

  [[nodiscard]] Statement statement(Function& function, const Scopes& scopes) {
    Statement result;
    result.line = peek().line;
    result.text = line_text(result.line);
    if (take("@")) {
      result.guarded = true;
      result.guard_negated = take("!");
      result.guard = operand(function, scopes).slot;
    }
    const Token& opcode = next();
    if (opcode.kind != Token::Kind::word) unknown(opcode, "expected an instruction");
    for (std::size_t from = 0; from <= opcode.text.size();) {
      const std::size_t dot = std::min(opcode.text.find('.', from), opcode.text.size());
      result.opcode.emplace_back(opcode.text.substr(from, dot - from));
      from = dot + 1;
    }
    if (result.opcode.front() == "call") unknown(opcode, "functions are not supported, a call stands");
    if (take(";")) return result;
    do {
      result.operands.push_back(pair(function, scopes));
    } while (take(","));
    expect(";");
    return result;
  }

  [[nodiscard]] Operand pair(Function& function, const Scopes& scopes) {
    Operand first = operand(function, scopes);
    if (!take("|")) return first;
    Operand both;
    both.kind = Operand::Kind::list;
    both.parts = {std::move(first), operand(function, scopes)};
    return both;
  }

  [[nodiscard]] Operand operand(Function& function, const Scopes& scopes) {
    Operand result;
    if (take("{")) {
      result.kind = Operand::Kind::list;
      do {
        result.parts.push_back(operand(function, scopes));
      } while (take(","));
      expect("}");
      return result;
    }
    if (take("[")) return address(function, scopes);
    if (take("!")) {
      result = operand(function, scopes);
      result.negated = true;
      return result;
    }
    if (peek().is("-") || peek().kind == Token::Kind::number) {
      const auto [kind, bits] = literal();
      result.kind = kind;
      result.slot = function.constant(bits);
      return result;
    }
    return name(function, scopes);
  }

  [[nodiscard]] Operand name(Function& function, const Scopes& scopes) {
    Operand result;
    const Token& token = next();
    if (token.kind != Token::Kind::word) unknown(token, "expected an operand");
    if (const auto slot = scopes.find(token.text)) {
      result.slot = *slot;
    } else if (token.is("_")) {
      result.slot = function.special("_");
    } else if (Scopes::is_special(token.text)) {
      result.slot = function.special(token.text);
    } else if (token.text.starts_with('%')) {
      unknown(token, "unknown register");
    } else {
      result.kind = Operand::Kind::name;
      result.name = std::string(token.text);
    }
    return result;
  }

  [[nodiscard]] Operand address(Function& function, const Scopes& scopes) {
    Operand result = peek().kind == Token::Kind::word ? name(function, scopes) : Operand{};
    result.kind = Operand::Kind::address;
    if (take("+") || !peek().is("]")) result.offset = integer();
    expect("]");
    return result;
  }

  std::vector<Token> tokens_;
  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  Module module_;
};

}  // namespace recal::testing::ptx
