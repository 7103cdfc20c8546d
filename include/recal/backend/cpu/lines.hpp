// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/shape.hpp>

/// Lines of memory, the unit of caches.
namespace recal::cpu {

template <class T>
inline constexpr Index elements_per_line = 64 / static_cast<Index>(sizeof(T));

/// Numbers in so many lines that hold `size` of them and are odd: rows that are this far apart share no set of the
/// first cache.
template <class T>
[[nodiscard]] constexpr Index odd_lines(Index size) {
  constexpr Index line = elements_per_line<T>;
  return ((size + line - 1) / line | 1) * line;
}

/// What lines are asked for: the arguments of __builtin_prefetch.
struct ToRead {
  static constexpr int write = 0;
  static constexpr int locality = 3;
};

/// By the second cache only.
struct ToReadLater {
  static constexpr int write = 0;
  static constexpr int locality = 2;
};

struct ToWrite {
  static constexpr int write = 1;
  static constexpr int locality = 3;
};

/// Asks for the lines of `count` elements; no element need be there. Inlined, for GCC drops calls that do nothing but
/// ask for memory.
template <class Purpose, class T>
[[gnu::always_inline]] inline void ask_for_lines(const T* from, Index count) {
  for (Index k = 0; k < count; k += elements_per_line<T>)
    __builtin_prefetch(from + k, Purpose::write, Purpose::locality);
}

}  // namespace recal::cpu
