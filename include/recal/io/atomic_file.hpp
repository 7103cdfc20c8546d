// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <recal/core/error.hpp>
#include <recal/io/input_file.hpp>

namespace recal::io {

/// Writes a file so that its name always refers to a whole one: the old until commit(), the new from then on, whenever
/// the process or the machine stops. A link is followed: what it points to is replaced.
///
/// The bytes go to `.<name>.partial` in the same folder. commit() flushes them to the disk, renames, and flushes the
/// folder. Without commit() the partial file is removed at the end of life; what a killed process left behind is
/// overwritten and removed by the next writer of that name. Two writers of one name at a time are an error.
class AtomicFile {
 public:
  /// error: the folder does not exist or cannot be written, the target is a folder, or another writer is at work
  explicit AtomicFile(const std::filesystem::path& target) : target_(resolve(target)) {
    check(target_.has_filename(), "cannot write a file without a name: ", target.string());
    check(!std::filesystem::is_directory(target_), target_.string(), ": cannot be written: is a folder");
    partial_ = target_;
    std::string own_name = ".";
    own_name += target_.filename().string();
    partial_.replace_filename(own_name += ".partial");
    lock_partial();
    if (::ftruncate(descriptor_.get(), 0) != 0) give_up("cannot be written");
  }

  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() { discard(); }

  /// Appends. error: the disk is full, or the file cannot be written; the target is untouched
  void write(std::span<const std::byte> bytes) {
    check(descriptor_.open(), target_.string(), ": is written after commit()");
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) give_up("cannot be written");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Puts the file in place. error: as write(); the target is untouched
  void commit() {
    check(descriptor_.open(), target_.string(), ": commit() is called twice");
    if (::fsync(descriptor_.get()) != 0) give_up("cannot be flushed");
    if (::rename(partial_.c_str(), target_.c_str()) != 0) give_up("cannot be put in place");
    descriptor_.reset();
    flush_folder();
  }

 private:
  [[nodiscard]] static std::filesystem::path resolve(const std::filesystem::path& target) {
    return std::filesystem::is_symlink(target) ? std::filesystem::weakly_canonical(target) : target;
  }

  /// Opens the partial file and makes it this writer's own. The name may be taken away by another writer's rename
  /// between opening and locking: then what was locked is that writer's target, and it is left alone.
  void lock_partial() {
    while (true) {
      descriptor_.reset(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
      if (!descriptor_.open()) fail(target_.string(), ": cannot be written: ", detail::system_message(errno));
      // Some file systems have no locks: there, one writer at a time is the caller's promise.
      if (::flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        descriptor_.reset();
        fail(target_.string(), ": cannot be written: another writer is at work on it");
      }
      struct stat mine {};
      struct stat named {};
      const bool same = ::fstat(descriptor_.get(), &mine) == 0 && ::stat(partial_.c_str(), &named) == 0 &&
                        mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
      if (same) return;
    }
  }

  [[noreturn]] void give_up(std::string_view what) {
    const int code = errno;
    discard();
    fail(target_.string(), ": ", what, ": ", detail::system_message(code));
  }

  void discard() noexcept {
    if (!descriptor_.open()) return;
    ::unlink(partial_.c_str());
    descriptor_.reset();
  }

  /// Makes the rename itself last. Some file systems cannot flush a folder: there it lasts as they see fit.
  void flush_folder() const {
    const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
    const detail::Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.open()) ::fsync(descriptor.get());
  }

  std::filesystem::path target_;
  std::filesystem::path partial_;
  detail::Descriptor descriptor_;
};

/// Writes a whole file atomically.
inline void write_atomically(const std::filesystem::path& target, std::string_view text) {
  AtomicFile file(target);
  file.write(text);
  file.commit();
}

}  // namespace recal::io
