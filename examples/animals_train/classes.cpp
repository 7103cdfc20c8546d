// SPDX-License-Identifier: Apache-2.0
#include "classes.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

namespace animals {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> italian{{{"cane", "dog"},
                                                                                 {"cavallo", "horse"},
                                                                                 {"elefante", "elephant"},
                                                                                 {"farfalla", "butterfly"},
                                                                                 {"gallina", "chicken"},
                                                                                 {"gatto", "cat"},
                                                                                 {"mucca", "cow"},
                                                                                 {"pecora", "sheep"},
                                                                                 {"ragno", "spider"},
                                                                                 {"scoiattolo", "squirrel"}}};

}  // namespace

std::string class_of_folder(const std::string& folder) {
  std::string small = folder;
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* found =
      std::find_if(italian.begin(), italian.end(), [&](const auto& pair) { return pair.first == small; });
  return found == italian.end() ? folder : std::string(found->second);
}

}  // namespace animals
