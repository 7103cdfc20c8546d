// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include <recal/core/members.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/core/unrolled.hpp>

namespace recal {

/// Up to `limit` items whose numbers have a column each, so that those of neighbours share a pack. Item<A> holds
/// nothing but A's: with a number as A it is one item, with a pack as many as that has lanes.
/// requires: a limit that is a multiple of the lanes
template <template <class> class Item, class T, Index limit>
class Columns {
  static constexpr int numbers = static_cast<int>(detail::member_count<T, Item<T>>);

 public:
  /// Item i, or those from i on, whose numbers are widened to A's.
  template <class A = T>
  [[nodiscard, gnu::always_inline]] Item<A> get(Index i) const {
    Item<A> item;
    unrolled<numbers>([&](std::size_t m) __attribute__((always_inline)) {
      detail::member<A>(item, m) = load<A>(columns_[m].data() + i);
    });
    return item;
  }

  /// The same the other way, narrowed to T.
  template <class A>
  [[gnu::always_inline]] void set(Index i, const Item<A>& item) {
    unrolled<numbers>([&](std::size_t m) __attribute__((always_inline)) {
      store(columns_[m].data() + i, detail::member<A>(item, m));
    });
  }

 private:
  std::array<std::array<T, static_cast<std::size_t>(limit)>, static_cast<std::size_t>(numbers)> columns_;
};

}  // namespace recal
