// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <recal/core/error.hpp>

namespace recal::io {

namespace detail {

/// What the operating system says about error number `code`.
[[nodiscard]] inline std::string system_message(int code) { return std::generic_category().message(code); }

/// Closes a file descriptor at the end of its life.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  [[nodiscard]] bool open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int get() const noexcept { return fd_; }
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

}  // namespace detail

/// A regular file opened for reading at any offset. Replacing or deleting the file afterwards does not disturb it.
/// Reading is const and safe from several threads.
class InputFile {
 public:
  /// error: the file does not open, or is a folder or a pipe
  explicit InputFile(const std::filesystem::path& path)
      : name_(path.string()), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (!descriptor_.open()) fail(name_, ": cannot be opened: ", detail::system_message(errno));
    struct stat facts {};
    if (::fstat(descriptor_.get(), &facts) != 0) fail(name_, ": cannot be read: ", detail::system_message(errno));
    check(S_ISREG(facts.st_mode), name_, ": is not a regular file");
    size_ = static_cast<std::uint64_t>(facts.st_size);
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// Bytes at the time of opening.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  /// Fills `out` from `offset` on. error: the file ends before
  void read(std::uint64_t offset, std::span<std::byte> out) const {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got =
          ::pread(descriptor_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail(name_, ": cannot be read: ", detail::system_message(errno));
      check(got > 0, name_, ": ends at byte ", offset + done, ", ", out.size() - done, " bytes more were expected");
      done += static_cast<std::size_t>(got);
    }
  }

 private:
  std::string name_;
  detail::Descriptor descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace recal::io
