// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <recal/backend/cuda/context.hpp>

#include "tests/support/host_run/clock.hpp"
#include "tests/support/host_run/report.hpp"

namespace recal::testing {

enum class Access { load, store };

/// What the rules need to know of a type: a store changes whole granules.
struct Element {
  std::size_t bytes;
  std::size_t alignment;
  std::size_t granule;
};

template <class T>
inline constexpr Element element_of{sizeof(T), alignof(T), alignof(T)};
template <class T, int L>
inline constexpr Element element_of<cuda::Vector<T, L>>{sizeof(cuda::Vector<T, L>), alignof(cuda::Vector<T, L>),
                                                        alignof(T)};

/// An earlier access that nothing orders with the present one.
struct Clash {
  enum class Kind { none, unwritten, same_block, other_block };
  Kind kind = Kind::none;
  Access earlier = Access::load;
  std::uint16_t thread = 0;
  std::uint32_t epoch = 0;
};

/// Who wrote a granule last, and who has read it.
class Record {
 public:
  static constexpr std::uint16_t several = 0xffff;

  template <Access access>
  [[nodiscard]] Clash note(const Now& now, std::uint16_t thread) {
    if (written_ >= now.launch) {
      if (written_ < now.block) return {Clash::Kind::other_block, Access::store, writer_, written_};
      if (written_ == now.epoch && writer_ != thread)
        return {Clash::Kind::same_block, Access::store, writer_, written_};
    }
    if constexpr (access == Access::load) {
      note_load(now, thread);
      return {};
    } else {
      return note_store(now, thread);
    }
  }

  [[nodiscard]] bool written_since(std::uint32_t epoch) const { return written_ >= epoch; }

 private:
  void note_load(const Now& now, std::uint16_t thread) {
    if (first_read_ < now.launch) first_read_ = now.epoch;
    reader_ = read_ == now.epoch && reader_ != thread ? several : thread;
    read_ = now.epoch;
  }

  [[nodiscard]] Clash note_store(const Now& now, std::uint16_t thread) {
    if (first_read_ >= now.launch && first_read_ < now.block)
      return {Clash::Kind::other_block, Access::load, several, first_read_};
    if (read_ == now.epoch && reader_ != thread) return {Clash::Kind::same_block, Access::load, reader_, read_};
    written_ = now.epoch;
    writer_ = thread;
    return {};
  }

  std::uint32_t written_ = 0;
  std::uint32_t read_ = 0;
  std::uint32_t first_read_ = 0;  // of the launch
  std::uint16_t writer_ = 0;
  std::uint16_t reader_ = 0;
};

/// The records of a piece of memory, one for as many bytes as the smallest element that was accessed in it has. They
/// hold times, so that nothing need be cleared between launches.
class Shadow {
 public:
  /// ensures: there are records for `bytes` bytes
  void cover(std::size_t bytes) {
    if (bytes > bytes_) records_.resize(((bytes_ = bytes) + granule_ - 1) / granule_);
  }

  template <Access access>
  [[nodiscard]] Clash note(std::size_t offset, const Element& element, const Now& now, int thread) {
    if (element.granule < granule_) refine(element.granule);
    const std::size_t end = (offset + element.bytes + granule_ - 1) / granule_;
    for (std::size_t k = offset / granule_; k < end; ++k)
      if (const Clash clash = records_[k].note<access>(now, static_cast<std::uint16_t>(thread));
          clash.kind != Clash::Kind::none)
        return clash;
    return {};
  }

  /// The same for memory that is new to every block.
  template <Access access>
  [[nodiscard]] Clash note_of_block(std::size_t offset, const Element& element, const Now& now, int thread) {
    if (element.granule < granule_) refine(element.granule);
    if constexpr (access == Access::load)
      for (std::size_t k = offset / granule_; k < (offset + element.bytes + granule_ - 1) / granule_; ++k)
        if (!records_[k].written_since(now.block)) return {Clash::Kind::unwritten};
    return note<access>(offset, element, {now.block, now.block, now.epoch}, thread);
  }

 private:
  void refine(std::size_t granule) {
    std::vector<Record> finer;
    finer.reserve(records_.size() * (granule_ / granule));
    for (const Record& record : records_) finer.insert(finer.end(), granule_ / granule, record);
    records_ = std::move(finer);
    granule_ = granule;
  }

  std::size_t bytes_ = 0;
  std::size_t granule_ = 16;
  std::vector<Record> records_;
};

/// What is wrong, to follow a description of the access.
[[nodiscard]] inline std::string text_of_clash(const Clash& clash, const Clock& clock) {
  const char* did = clash.earlier == Access::load ? "read" : "wrote";
  if (clash.kind == Clash::Kind::unwritten) return "which no thread of the block has written";
  if (clash.kind == Clash::Kind::other_block)
    return text_of("which block ", clock.block_at(clash.epoch), " ", did, " in the same launch");
  const std::string who = clash.thread == Record::several ? "several threads" : text_of("thread ", clash.thread);
  return text_of("which ", who, " ", did, " since the last barrier");
}

[[nodiscard]] inline const char* name_of(const Clash& clash) {
  if (clash.kind == Clash::Kind::unwritten) return "uninitialised read: ";
  return clash.kind == Clash::Kind::other_block ? "clash of blocks: " : "missing barrier: ";
}

[[nodiscard]] inline std::string text_of_access(Access access, std::size_t bytes) {
  return text_of(access == Access::load ? "load" : "store", " of ", bytes, " bytes");
}

}  // namespace recal::testing
