// SPDX-License-Identifier: Apache-2.0
#include "folder.hpp"

#include <algorithm>
#include <map>

#include "classes.hpp"
#include "text.hpp"

namespace animals {

namespace fs = std::filesystem;

namespace {

bool hidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') || name == "__MACOSX";
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && !hidden(entry.path())) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// Files at any depth below `folder`, sorted; hidden ones and links to folders are passed over.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> found;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto it = fs::recursive_directory_iterator(folder, options); it != fs::recursive_directory_iterator(); ++it) {
    if (hidden(it->path())) {
      if (it->is_directory()) it.disable_recursion_pending();
    } else if (!it->is_directory()) {
      found.push_back(it->path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

Folder scan_folder(const fs::path& data) {
  if (!fs::exists(data)) fail("the data folder ", data.string(), " does not exist");
  if (!fs::is_directory(data)) fail(data.string(), " is not a folder");
  Folder result;
  result.root = data;
  std::vector<fs::path> folders = folders_in(data);
  if (folders.size() == 1 && !folders_in(folders.front()).empty()) {
    result.root = folders.front();
    folders = folders_in(result.root);
  }
  std::map<std::string, Index> labels;
  for (const auto& folder : folders) labels.emplace(class_of_folder(folder.filename().string()), 0);
  if (labels.size() < 2)
    fail(result.root.string(), " holds ", labels.size(),
         " class folder(s), at least two are needed: one folder a class");
  for (auto& [name, label] : labels) {
    if (!valid_utf8(name)) fail("the name of the class folder ", name, " is not valid UTF-8");
    label = static_cast<Index>(result.classes.size());
    result.classes.push_back(name);
  }
  for (const auto& folder : folders) {
    const Index label = labels.at(class_of_folder(folder.filename().string()));
    for (const auto& file : files_below(folder)) {
      std::string name = file.lexically_relative(result.root).generic_string();
      if (valid_utf8(name))
        result.samples.push_back({std::move(name), label});
      else
        result.skipped.push_back({"a file in " + folder.filename().string(), "has a name that is not valid UTF-8"});
    }
  }
  return result;
}

}  // namespace animals
