// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/parallel.hpp>

using recal::Index;
using recal::parallel_for;

namespace {

/// How often each of `count` indices was called, and how many calls had an index outside.
class Calls {
 public:
  explicit Calls(Index count) : times_(static_cast<std::size_t>(count)) {}

  void operator()(Index i) {
    if (i < 0 || i >= static_cast<Index>(times_.size()))
      ++outside_;
    else
      ++times_[static_cast<std::size_t>(i)];
  }

  [[nodiscard]] bool each_exactly(int times) const {
    for (const auto& time : times_)
      if (time != times) return false;
    return outside_ == 0;
  }

 private:
  std::vector<std::atomic<int>> times_;
  std::atomic<int> outside_ = 0;
};

/// Restores the number of threads.
struct ThreadCount {
  int before = recal::thread_count();
  explicit ThreadCount(int threads) { recal::set_thread_count(threads); }
  ~ThreadCount() { recal::set_thread_count(before); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;
};

}  // namespace

TEST_CASE("every index is called exactly once, whatever count, grain and threads") {
  for (const int threads : {1, 2, 3, 8}) {
    const ThreadCount set(threads);
    for (const Index count : {0, 1, 2, 3, 7, 64, 1001})
      for (const Index grain : {-1, 0, 1, 2, 5, 64, 1000, 5000}) {
        Calls calls(count);
        parallel_for(count, grain, [&](Index i) { calls(i); });
        CHECK_MESSAGE(calls.each_exactly(1), threads, " threads, count ", count, ", grain ", grain);
      }
  }
}

TEST_CASE("the grain may be left out") {
  Calls calls(500);
  parallel_for(500, [&](Index i) { calls(i); });
  CHECK(calls.each_exactly(1));
}

TEST_CASE("exceptions reach the caller, and the next call works") {
  const ThreadCount set(4);
  for (const Index thrower : {0, 1, 499, 999})
    CHECK_THROWS_WITH_AS(parallel_for(1000, 1,
                                      [&](Index i) {
                                        if (i == thrower) throw std::out_of_range("index");
                                      }),
                         "index", std::out_of_range);
  Calls calls(1000);
  parallel_for(1000, 1, [&](Index i) { calls(i); });
  CHECK(calls.each_exactly(1));
}

TEST_CASE("calls may be nested") {
  const ThreadCount set(4);
  Calls calls(20 * 30);
  parallel_for(20, [&](Index i) { parallel_for(30, [&](Index j) { calls(i * 30 + j); }); });
  CHECK(calls.each_exactly(1));
}

TEST_CASE("what the pieces wrote is seen after the call") {
  const ThreadCount set(4);
  std::vector<Index> squares(10000, -1);
  parallel_for(10000, 16, [&](Index i) { squares[static_cast<std::size_t>(i)] = i * i; });
  Index wrong = 0;
  for (Index i = 0; i < 10000; ++i) wrong += squares[static_cast<std::size_t>(i)] != i * i;
  CHECK(wrong == 0);
}

TEST_CASE("one thread, or one piece, means the calling thread in order") {
  const auto in_order = [](Index count, Index grain) {
    const auto caller = std::this_thread::get_id();
    Index next = 0;
    Index wrong = 0;
    parallel_for(count, grain, [&](Index i) { wrong += i != next++ || std::this_thread::get_id() != caller; });
    return wrong == 0 && next == count;
  };
  CHECK(in_order(10, 10));
  const ThreadCount set(1);
  CHECK(recal::thread_count() == 1);
  CHECK(in_order(1000, 1));
}

TEST_CASE("the number of threads is what was set") {
  CHECK(recal::thread_count() >= 1);
  const ThreadCount set(3);
  CHECK(recal::thread_count() == (RECAL_TBB ? 3 : 1));
  recal::set_thread_count(0);
  CHECK(recal::thread_count() == (RECAL_TBB ? 3 : 1));
  recal::set_thread_count(5);
  CHECK(recal::thread_count() == (RECAL_TBB ? 5 : 1));
}
