// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cctype>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/ptx/syntax.hpp"

namespace recal::testing::ptx {

/// The registers that a place in the text sees: those of its block { } and of the blocks around it.
class Scopes {
 public:
  void open() { levels_.emplace_back(); }
  void close() { levels_.pop_back(); }
  [[nodiscard]] std::size_t depth() const { return levels_.size(); }

  void declare(Function& function, std::string_view name) {
    levels_.back().single[std::string(name)] = function.new_slot();
  }

  /// prefix0 ... prefix<count - 1>
  void declare(Function& function, std::string_view prefix, std::size_t count) {
    const std::size_t first = function.frame.size();
    for (std::size_t i = 0; i < count; ++i) (void)function.new_slot();
    levels_.back().rows[std::string(prefix)] = {first, count};
  }

  [[nodiscard]] std::optional<SlotIndex> find(std::string_view name) const {
    std::size_t digits = name.size();
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1])) != 0) --digits;
    for (std::size_t level = levels_.size(); level-- > 0;) {
      if (const auto one = levels_[level].single.find(name); one != levels_[level].single.end()) return one->second;
      const auto row = levels_[level].rows.find(name.substr(0, digits));
      if (digits == name.size() || row == levels_[level].rows.end()) continue;
      const std::size_t number = std::stoul(std::string(name.substr(digits)));
      if (number < row->second.second) return static_cast<SlotIndex>(row->second.first + number);
    }
    return std::nullopt;
  }

  [[nodiscard]] static bool is_special(std::string_view name) {
    static constexpr std::array names{
        "%tid.x",       "%tid.y",       "%tid.z",       "%ntid.x",      "%ntid.y",   "%ntid.z", "%ctaid.x",
        "%ctaid.y",     "%ctaid.z",     "%nctaid.x",    "%nctaid.y",    "%nctaid.z", "%laneid", "%warpid",
        "%lanemask_eq", "%lanemask_lt", "%lanemask_le", "%lanemask_gt", "%nwarpid",  "WARP_SZ", "%lanemask_ge"};
    for (const std::string_view known : names)
      if (known == name) return true;
    return false;
  }

 private:
  struct Level {
    std::map<std::string, SlotIndex, std::less<>> single;
    std::map<std::string, std::pair<std::size_t, std::size_t>, std::less<>> rows;
  };
  std::vector<Level> levels_;
};

}  // namespace recal::testing::ptx
