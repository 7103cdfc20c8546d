// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <recal/core/error.hpp>

namespace recal::testing::ptx {

/// A word (name, directive or opcode with its modifiers), a number, a string, or one mark of punctuation.
struct Token {
  enum class Kind { word, number, text, mark, end };
  Kind kind = Kind::end;
  std::string_view text;
  int line = 0;

  [[nodiscard]] bool is(std::string_view expected) const { return kind != Kind::text && text == expected; }
};

/// Cuts PTX into tokens; comments, and lines that only debuggers need, are left out. The tokens point into the source.
class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  [[nodiscard]] std::vector<Token> tokens() {
    std::vector<Token> all;
    for (skip_blank(); at_ < source_.size(); skip_blank()) {
      const Token token = next();
      if (token.is(".loc") || token.is(".file"))
        at_ = std::min(source_.find('\n', at_), source_.size());
      else
        all.push_back(token);
    }
    all.push_back({Token::Kind::end, "", line_});
    return all;
  }

 private:
  [[nodiscard]] static bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '%' || c == '.';
  }
  [[nodiscard]] bool starts(std::string_view prefix) const { return source_.substr(at_).starts_with(prefix); }

  void skip_past(std::string_view stop) {
    const std::size_t found = source_.find(stop, at_);
    check(found != std::string_view::npos, "ptx line ", line_, ": '", stop, "' is missing");
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(found), '\n'));
    at_ = found + stop.size();
  }

  void skip_blank() {
    while (at_ < source_.size()) {
      if (starts("//")) {
        at_ = std::min(source_.find('\n', at_), source_.size());
      } else if (starts("/*")) {
        skip_past("*/");
      } else if (std::isspace(static_cast<unsigned char>(source_[at_])) != 0) {
        line_ += source_[at_++] == '\n' ? 1 : 0;
      } else {
        return;
      }
    }
  }

  [[nodiscard]] Token next() {
    const std::size_t first = at_;
    const int line = line_;
    if (source_[at_] == '"') {
      ++at_;
      skip_past("\"");
      return {Token::Kind::text, source_.substr(first + 1, at_ - first - 2), line};
    }
    if (!in_word(source_[at_])) return {Token::Kind::mark, source_.substr(at_++, 1), line};
    const bool number = std::isdigit(static_cast<unsigned char>(source_[at_])) != 0;
    while (at_ < source_.size() && (in_word(source_[at_]) || starts("::")))
      at_ += source_[at_] == ':' ? std::size_t{2} : std::size_t{1};
    return {number ? Token::Kind::number : Token::Kind::word, source_.substr(first, at_ - first), line};
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace recal::testing::ptx
