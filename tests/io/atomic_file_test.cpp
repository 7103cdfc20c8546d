// SPDX-License-Identifier: Apache-2.0
#include <recal/io/atomic_file.hpp>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <tests/support/temporary_folder.hpp>

using recal::io::AtomicFile;
using recal::io::write_atomically;
using recal::testing::TemporaryFolder;

namespace {

std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// Files may not grow beyond `bytes` during its life: writes fail as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

}  // namespace

TEST_CASE("the file appears whole at commit and nothing else is left") {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a");
  file.write("first ");
  CHECK_FALSE(std::filesystem::exists(folder / "a"));
  file.write("second");
  file.commit();
  CHECK(content(folder / "a") == "first second");
  CHECK(folder.count() == 1);
  CHECK_THROWS_WITH_AS(file.write("more"), doctest::Contains("is written after commit()"), recal::error);
  CHECK_THROWS_WITH_AS(file.commit(), doctest::Contains("commit() is called twice"), recal::error);
  CHECK(content(folder / "a") == "first second");
}

TEST_CASE("an existing file is replaced, and kept where commit is not reached") {
  const TemporaryFolder folder;
  write_atomically(folder / "a", "old and longer");
  {
    AtomicFile file(folder / "a");
    file.write("new");
  }
  CHECK(content(folder / "a") == "old and longer");
  CHECK(folder.count() == 1);
  write_atomically(folder / "a", "new");
  CHECK(content(folder / "a") == "new");
  CHECK(folder.count() == 1);
}

TEST_CASE("a relative name without a folder works") {
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_atomically("plain", "text");
  std::filesystem::current_path(before);
  CHECK(content(folder / "plain") == "text");
}

TEST_CASE("a full disk leaves the old file and no part of the new") {
  const TemporaryFolder folder;
  write_atomically(folder / "a", "old");
  {
    const FileSizeLimit limit(1000);
    AtomicFile file(folder / "a");
    file.write(std::string(900, 'x'));
    CHECK_THROWS_WITH_AS(file.write(std::string(200, 'x')), doctest::Contains("a: cannot be written: File too large"),
                         recal::error);
  }
  CHECK(content(folder / "a") == "old");
  CHECK(folder.count() == 1);
}

TEST_CASE("impossible targets are refused") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(AtomicFile(folder / "none/a"), doctest::Contains("cannot be written: No such file or directory"),
                       recal::error);
  CHECK_THROWS_WITH_AS(AtomicFile(folder.path()), doctest::Contains("is a folder"), recal::error);
  CHECK_THROWS_WITH_AS(AtomicFile(folder.path() / ""), doctest::Contains("without a name"), recal::error);
  CHECK(folder.count() == 0);

  AtomicFile file(folder / "a");  // becomes a folder while it is written
  std::filesystem::create_directories(folder / "a/b");
  CHECK_THROWS_WITH_AS(file.commit(), doctest::Contains("cannot be put in place"), recal::error);
  CHECK(folder.count() == 1);
}

TEST_CASE("a link is followed") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "real");
  write_atomically(folder / "real/a", "old");
  std::filesystem::create_symlink("real/a", folder / "link");
  write_atomically(folder / "link", "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(content(folder / "real/a") == "new");
}

TEST_CASE("what a killed process left is cleared away by the next writer") {
  const TemporaryFolder folder;
  write_atomically(folder / "a", "old");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    AtomicFile file(folder / "a");
    file.write("half of a much longer text");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(content(folder / "a") == "old");
  CHECK(folder.count() == 2);
  write_atomically(folder / "a", "new");
  CHECK(content(folder / "a") == "new");
  CHECK(folder.count() == 1);
}

TEST_CASE("two writers of one name are an error, and the first is undisturbed") {
  const TemporaryFolder folder;
  AtomicFile first(folder / "a");
  first.write("first");
  CHECK_THROWS_WITH_AS(AtomicFile(folder / "a"), doctest::Contains("another writer is at work"), recal::error);
  first.commit();
  CHECK(content(folder / "a") == "first");
  CHECK(folder.count() == 1);
}

TEST_CASE("writers in a race never leave a mixed, short or empty file") {
  const TemporaryFolder folder;
  std::atomic<bool> finished = false;
  std::atomic<int> broken = 0;
  const auto begin_and_abandon = [&] {
    while (!finished) {
      try {
        AtomicFile file(folder / "a");
        file.write("abandoned");
      } catch (const recal::error&) {  // the other was at it
      }
    }
  };
  const auto write = [&] {
    for (int written = 0; written < 100;) {
      const std::string text(5000, static_cast<char>('a' + written % 26));
      try {
        write_atomically(folder / "a", text);
      } catch (const recal::error&) {
        continue;
      }
      ++written;
      std::this_thread::yield();
      broken += content(folder / "a") == text ? 0 : 1;
    }
    finished = true;
  };
  std::vector<std::thread> threads;
  threads.emplace_back(write);
  threads.emplace_back(begin_and_abandon);
  threads.emplace_back(begin_and_abandon);
  for (std::thread& thread : threads) thread.join();
  CHECK(broken.load() == 0);
  CHECK(content(folder / "a").size() == 5000);
  CHECK(folder.count() == 1);
}
