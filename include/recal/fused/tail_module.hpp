// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <recal/pool/field_pool.hpp>
#include <recal/pool/plane_moments.hpp>

namespace recal {

namespace fused {

template <class P>
struct TailPoolOf {
  using type = void;
};
template <MomentPool P>
struct TailPoolOf<P> {
  using type = P;
};
template <WholeMapPool P>
  requires MomentPool<typename P::WholeMap>
struct TailPoolOf<P> {
  using type = typename P::WholeMap;
};

/// The moment pool that does what P does; void where there is none.
template <class P>
using TailPool = typename TailPoolOf<P>::type;

template <MomentPool P>
[[nodiscard]] const P& tail_pool(const P& pool) {
  return pool;
}
template <WholeMapPool P>
[[nodiscard]] typename P::WholeMap tail_pool(const P&) {
  return {};
}

}  // namespace fused

/// A module whose pool is made of moments, at least for some of its settings: what a fused residual tail takes.
template <class M>
concept TailModule = !std::is_void_v<fused::TailPool<typename M::PoolType>>;

/// Whether this very module can be fused: GE with a global extent can, with another it cannot.
template <class M>
[[nodiscard]] bool can_fuse_tail(const M& module) {
  if constexpr (!TailModule<M>)
    return false;
  else if constexpr (WholeMapPool<typename M::PoolType>)
    return module.pool().uniform();
  else
    return true;
}

}  // namespace recal
