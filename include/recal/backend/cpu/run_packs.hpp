// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>

/// Short runs of numbers, worked on in packs of as many lanes as they have room for.
namespace recal::cpu {

/// f(Own{}) with the largest pack of T that fits into `count` numbers; with Own = T where none does.
template <class T, class F>
[[gnu::always_inline]] inline void with_pack(Index count, const F& f) {
  using P = pack_for<T>;
  using Half = Pack<T, P::lanes / 2>;
  using Quarter = Pack<T, std::max(P::lanes / 4, 2)>;
  if (count >= P::lanes)
    f(P{});
  else if (count >= Half::lanes)
    f(Half{});
  else if (count >= Quarter::lanes)
    f(Quarter{});
  else
    f(T{});
}

/// f(k) where each pack Own of [0, count) begins, of which the last one ends where the run ends and may see numbers
/// again. requires: with_pack() of as many numbers
template <class Own, class F>
[[gnu::always_inline]] inline void for_each_pack(Index count, const F& f) {
  if constexpr (std::is_arithmetic_v<Own>) {
    for (Index k = 0; k < count; ++k) f(k);
  } else {
    const Index last = count - Own::lanes;
    for (Index k = 0; k < last; k += Own::lanes) f(k);
    f(last);
  }
}

/// to = from, `count` numbers: for short runs, without a call.
template <class T>
[[gnu::always_inline]] inline void copy_run(Index count, const T* from, T* to) {
  with_pack<T>(
      count, [&](auto own) __attribute__((always_inline)) {
        using Own = decltype(own);
        for_each_pack<Own>(
            count, [&](Index k) __attribute__((always_inline)) { store(to + k, load<Own>(from + k)); });
      });
}

/// from[0], from[2], ...: as many as Own has lanes; reads nothing beyond the last of them.
template <class Own, class T>
[[nodiscard, gnu::always_inline]] inline Own load_every_second(const T* from) {
  if constexpr (std::is_arithmetic_v<Own>) {
    return *from;
  } else {
    constexpr int lanes = Own::lanes;
    const Own low = load<Own>(from);
    const Own high = load<Own>(from + lanes - 1);
    return [&]<int... lane>(std::integer_sequence<int, lane...>) __attribute__((always_inline)) {
      return Own(typename Own::Native(
          __builtin_shufflevector(low.v, high.v, (2 * lane < lanes ? 2 * lane : 2 * lane + 1)...)));
    }
    (std::make_integer_sequence<int, lanes>{});
  }
}

}  // namespace recal::cpu
