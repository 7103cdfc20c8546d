// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/one_body.hpp>
#include <recal/core/shape.hpp>

// RECAL_TBB=1 is set by the CMake target recal::recal where oneTBB is found. Without it (plain
// `-I include`) everything runs on the calling thread and nothing needs linking.
#ifndef RECAL_TBB
#define RECAL_TBB 0
#endif

#if RECAL_TBB
#include <cstddef>
#include <memory>

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#endif

#if defined(__SANITIZE_THREAD__)
#define RECAL_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RECAL_THREAD_SANITIZER 1
#endif
#endif
#ifdef RECAL_THREAD_SANITIZER
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace recal {

namespace detail {

/// f(i) for i in [first, last). Whether one thread goes through all of a loop or several share it, they run this very
/// code: compiled once more in another place, the same formula may be contracted to other fused multiply-adds.
template <class F>
RECAL_ONE_BODY void run_piece(const void* f, Index first, Index last) {
  const F& call = *static_cast<const F*>(f);
  for (Index i = first; i < last; ++i) call(i);
}

}  // namespace detail

/// The one file through which all of recal's parallelism goes.
///
/// Whoever calls parallel_for cuts the work into pieces that depend on the sizes alone and lets no
/// two pieces write the same element; so results are bit-identical for any number of threads.

#if RECAL_TBB

namespace detail {

/// An arena of `threads` threads, more than the machine has cores where that is asked for.
struct Threads {
  tbb::global_control allowed;
  tbb::task_arena arena;

  explicit Threads(int threads)
      : allowed(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads)), arena(threads) {}
};

inline tbb::task_arena& arena(int change_to = 0) {
  static std::unique_ptr<Threads> own = std::make_unique<Threads>(tbb::task_arena().max_concurrency());
  if (change_to > 0 && change_to != own->arena.max_concurrency()) own = std::make_unique<Threads>(change_to);
  return own->arena;
}

/// Tells ThreadSanitizer, which cannot look into libtbb, what happens before what: whatever came before the fork
/// before every piece, every piece before whatever comes after the join. Nothing in other builds.
class ForkJoin {
 public:
  ForkJoin() { release(&fork_); }
  ~ForkJoin() { acquire(&join_); }
  ForkJoin(const ForkJoin&) = delete;
  ForkJoin& operator=(const ForkJoin&) = delete;

  class Piece {
   public:
    explicit Piece(ForkJoin& whole) : whole_(whole) { acquire(&whole_.fork_); }
    ~Piece() { release(&whole_.join_); }
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;

   private:
    ForkJoin& whole_;
  };

 private:
#ifdef RECAL_THREAD_SANITIZER
  static void acquire(char* sign) { __tsan_acquire(sign); }
  static void release(char* sign) { __tsan_release(sign); }
#else
  static void acquire(char*) {}
  static void release(char*) {}
#endif

  char fork_ = 0;
  char join_ = 0;
};

/// Calls call(f, first, last) for pieces that make up [0, count). Not a template, so that oneTBB's part of it is
/// compiled once a translation unit and not once a loop.
inline void share_out(Index count, Index grain, const void* f, void (*call)(const void* f, Index first, Index last)) {
  ForkJoin fork_join;
  arena().execute([&] {
    tbb::parallel_for(tbb::blocked_range<Index>(0, count, static_cast<std::size_t>(grain > 0 ? grain : 1)),
                      [&](const tbb::blocked_range<Index>& range) {
                        const ForkJoin::Piece piece(fork_join);
                        call(f, range.begin(), range.end());
                      });
  });
}

}  // namespace detail

/// The number of threads that parallel_for may use.
[[nodiscard]] inline int thread_count() { return detail::arena().max_concurrency(); }

/// Sets the number of threads for all later calls. Not to be called while work is running.
inline void set_thread_count(int threads) { detail::arena(threads); }

/// Calls f(i) once for every i in [0, count), on several threads; pieces hold at least `grain` calls.
/// Exceptions of f reach the caller.
template <class F>
void parallel_for(Index count, Index grain, const F& f) {
  if (count <= grain || thread_count() == 1)
    detail::run_piece<F>(&f, 0, count);
  else
    detail::share_out(count, grain, &f, detail::run_piece<F>);
}

#else

[[nodiscard]] inline int thread_count() { return 1; }

inline void set_thread_count(int) {}

template <class F>
void parallel_for(Index count, Index, const F& f) {
  detail::run_piece<F>(&f, 0, count);
}

#endif

/// parallel_for with pieces of at least one call: for calls that are work enough by themselves.
template <class F>
void parallel_for(Index count, const F& f) {
  parallel_for(count, Index{1}, f);
}

}  // namespace recal
