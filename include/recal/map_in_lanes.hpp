// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>

#include <recal/backend/backend.hpp>
#include <recal/backend/channel_block.hpp>
#include <recal/core/columns.hpp>
#include <recal/core/shape.hpp>
#include <recal/core/tensor.hpp>
#include <recal/groups.hpp>
#include <recal/row_lanes.hpp>

namespace recal::detail {

/// out = map_i(in...) on the i-th of `planes` planes of K = `count` elements, whose numbers lie in `rows`:
/// map_of(i, a) gives a Map<A>, that of plane i or those of as many as A has lanes, a an A. Numbers of maps are doubles
/// until then; out may be one of the inputs.
template <template <class> class Map, bool packs = true, class Team, class MapOf, class Out, class... In>
void map_in_lanes(const Team& team, Index count, Index planes, const RunRows& rows, const MapOf& map_of,
                  PlaneSpan<Out> out, PlaneSpan<In>... in) {
  using A = std::common_type_t<typename Team::template accumulator<std::remove_const_t<In>>...>;
  for (Index first = 0; first < planes; first += ChannelBlock::limit) {
    const Index own = std::min(ChannelBlock::limit, planes - first);
    Columns<Map, A, ChannelBlock::limit> maps;
    for_each_row_lanes<packs>(rows, own, [&](Index i, auto lanes) { maps.set(i, map_of(first + i, lanes)); });
    map_each_plane(
        team, count, own, out.from(first), [&](Index i) { return maps.get(i); }, in.from(first)...);
  }
}

}  // namespace recal::detail
