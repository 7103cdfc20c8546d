// SPDX-License-Identifier: Apache-2.0
// The reading pass alone: t = pool(x) for every plane.

#include <string>

#include <recal/backend/cpu/backend.hpp>
#include <recal/pool/l2.hpp>
#include <recal/pool/max.hpp>
#include <recal/pool/mean.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/recalibrate_planes.hpp>

#include "harness.hpp"
#include "workloads.hpp"

namespace {

template <class Pool>
void pool_planes(benchmark::State& state, const Pool& pool, const bench::Shape& shape) {
  const bench::Tensor x = bench::noise(shape);
  const recal::Groups groups{shape, recal::Mixing::channels};
  recal::Buffer<double> style(static_cast<std::size_t>(groups.planes() * Pool::width));
  bench::repeat(state, [&] {
    const recal::Index width = recal::ChannelBlock::width(shape);
    recal::detail::walk_runs(recal::Cpu{}, shape, width, [&](const recal::Cpu::Team& team, const recal::PlaneRun& run) {
      recal::detail::pool(team, pool, x.view(), run, groups.rows_of(run), style.data());
    });
  });
}

template <class Pool>
void add_pool(const std::string& name, const Pool& pool) {
  for (const bench::Workload& work : bench::workloads)
    bench::add("pool/" + name + '/' + work.name,
               [&work, pool](benchmark::State& state) { pool_planes(state, pool, work.shape); });
}

const bench::Registration pools([] {
  add_pool("mean", recal::Mean{});
  add_pool("mean_std", recal::MeanStd{});
  add_pool("l2", recal::L2{});
  add_pool("max", recal::Max{});
});

}  // namespace
