// SPDX-License-Identifier: Apache-2.0
#include "split.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include <recal/core/parallel.hpp>

#include "decode.hpp"
#include "random.hpp"
#include "text.hpp"

namespace animals {

namespace {

/// Enough for a fingerprint; every byte of entropy data is read whatever the size.
constexpr Index inspected_side = 32;

/// The samples that are copies of one another.
struct Group {
  std::vector<std::size_t> members;
};

/// The groups of each class; a group with members of several classes belongs to that of its first.
std::vector<std::vector<Group>> groups_by_class(const Folder& folder, const Groups& groups) {
  std::vector<Group> all(static_cast<std::size_t>(groups.count));
  for (std::size_t i = 0; i < folder.samples.size(); ++i)
    all[static_cast<std::size_t>(groups.of[i])].members.push_back(i);
  std::vector<std::vector<Group>> result(folder.classes.size());
  for (Group& group : all) {
    const auto label = static_cast<std::size_t>(folder.samples[group.members.front()].label);
    result[label].push_back(std::move(group));
  }
  return result;
}

/// Takes groups in their order for `val` while they fit into `wanted` samples; the rest is for `train`.
void divide(const std::vector<Group>& groups, std::size_t wanted, std::vector<std::size_t>& train,
            std::vector<std::size_t>& val) {
  const auto smaller = [](const Group& a, const Group& b) { return a.members.size() < b.members.size(); };
  std::vector<bool> in_val(groups.size(), false);
  std::size_t taken = 0;
  std::size_t chosen = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (chosen + 1 == groups.size() || taken + groups[g].members.size() > wanted) continue;
    in_val[g] = true;
    taken += groups[g].members.size();
    ++chosen;
  }
  if (chosen == 0 && groups.size() > 1)
    in_val[static_cast<std::size_t>(std::min_element(groups.begin(), groups.end(), smaller) - groups.begin())] = true;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    auto& side = in_val[g] ? val : train;
    side.insert(side.end(), groups[g].members.begin(), groups[g].members.end());
  }
}

std::vector<Sample> pick(const std::vector<Sample>& samples, std::vector<std::size_t> chosen) {
  std::sort(chosen.begin(), chosen.end());
  std::vector<Sample> result;
  for (const std::size_t i : chosen) result.push_back(samples[i]);
  return result;
}

}  // namespace

Inspected inspect(Folder folder, const std::function<void(Index, Index)>& report) {
  const auto count = static_cast<Index>(folder.samples.size());
  std::vector<Fingerprint> prints(folder.samples.size());
  std::vector<std::string> faults(folder.samples.size());
  std::mutex reporting;
  Index done = 0;
  recal::parallel_for(count, [&](Index index) {
    const auto i = static_cast<std::size_t>(index);
    try {
      const Bytes bytes = read_bytes(folder.root / folder.samples[i].file);
      prints[i] = fingerprint(bytes, decode(bytes, {.short_side = inspected_side}));
    } catch (const failure& problem) {
      faults[i] = problem.what();
    }
    const std::lock_guard lock(reporting);
    report(++done, count);
  });

  Inspected result;
  result.folder = std::move(folder);
  std::vector<Sample> sound;
  for (std::size_t i = 0; i < prints.size(); ++i) {
    Sample& sample = result.folder.samples[i];
    if (faults[i].empty()) {
      result.prints.push_back(prints[i]);
      sound.push_back(std::move(sample));
    } else {
      result.folder.skipped.push_back({std::move(sample.file), faults[i]});
    }
  }
  result.folder.samples = std::move(sound);
  return result;
}

Split make_split(const Inspected& inspected, double val_share, std::uint64_t seed) {
  if (!(val_share > 0.0 && val_share < 1.0)) fail("the validation share ", val_share, " is not between 0 and 1");
  const Folder& folder = inspected.folder;
  const std::vector<Index> counts = count_by_class(folder.samples, folder.classes.size());
  for (std::size_t c = 0; c < counts.size(); ++c)
    if (counts[c] == 0) fail("class ", folder.classes[c], " has no picture that can be decoded");

  const Groups copies = group_copies(inspected.prints);
  std::vector<std::vector<Group>> groups = groups_by_class(folder, copies);
  std::vector<std::size_t> train;
  std::vector<std::size_t> val;
  for (std::size_t c = 0; c < groups.size(); ++c) {
    shuffle(groups[c], Random(seed, Purpose::split, {c}));
    const auto wanted = static_cast<std::size_t>(std::lround(val_share * static_cast<double>(counts[c])));
    divide(groups[c], wanted, train, val);
  }
  Split split;
  split.root = folder.root;
  split.classes = folder.classes;
  split.seed = seed;
  split.val_share = val_share;
  split.exact_copies = copies.exact_copies;
  split.near_copies = copies.near_copies;
  split.train = pick(folder.samples, std::move(train));
  split.val = pick(folder.samples, std::move(val));
  split.skipped = folder.skipped;
  return split;
}

std::vector<Index> count_by_class(const std::vector<Sample>& samples, std::size_t classes) {
  std::vector<Index> counts(classes);
  for (const Sample& sample : samples) ++counts[static_cast<std::size_t>(sample.label)];
  return counts;
}

}  // namespace animals
