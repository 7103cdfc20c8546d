// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/backend.hpp>
#include <recal/backend/cpu/planes.hpp>
#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/backend/cuda/plane_team.hpp>
#include <recal/core/dots.hpp>
#include <recal/pool/max.hpp>
#include <recal/pool/mean_std.hpp>

#include "tests/support/host_run/context.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/noise.hpp"

using namespace recal;
using namespace recal::testing;

static_assert(Team<cuda::PlaneTeam<HostContext>>);

namespace {

/// The state of a plane, or of its stretch [begin, end), from every thread of the block.
template <class Reducer, class T>
struct ReduceOne {
  int width;
  Index count;
  cuda::Stretch stretch;
  const T* x;
  double* out;

  template <class Context>
  void operator()(const Context& ctx) const {
    const cuda::PlaneTeam<Context> team(ctx, width);
    const auto state = team.template reduce_stretch<Reducer>(count, stretch, x);
    const auto numbers = cuda::detail::members<Reducer, double>(state);
    for (int m = 0; m < cuda::detail::state_size<Reducer>; ++m)
      ctx.store(out + ctx.thread() * cuda::detail::state_size<Reducer> + m, numbers.value[m]);
  }
};

struct Twice {
  template <class A>
  A operator()(A x) const {
    return x + x;
  }
};

template <class T>
struct MapOne {
  int width;
  cuda::Stretch stretch;
  const T* x;
  T* y;

  template <class Context>
  void operator()(const Context& ctx) const {
    cuda::PlaneTeam<Context>(ctx, width).map_stretch(stretch, y, Twice{}, x);
  }
};

template <class T>
struct FindOne {
  int width;
  Index count;
  double value;
  const T* x;
  Index* found;

  template <class Context>
  void operator()(const Context& ctx) const {
    const cuda::PlaneTeam<Context> team(ctx, width);
    const Index k = team.find(count, x, value);
    ctx.store(found + ctx.thread(), k);
  }
};

template <class T>
cuda::DeviceBuffer<T> on(const HostMachine& machine, const Buffer<T>& numbers) {
  cuda::DeviceBuffer<T> there;
  upload(machine, std::span<const T>(numbers), there);
  return there;
}

template <class Reducer, class T>
std::vector<double> reduce(const HostMachine& machine, const Buffer<T>& plane, Index shift, int width) {
  const auto there = on(machine, plane);
  const Index count = static_cast<Index>(plane.size()) - shift;
  constexpr int size = cuda::detail::state_size<Reducer>;
  const cuda::DeviceBuffer<double> out(machine, Index{width} * size);
  machine.launch({1, width, cuda::PlaneTeam<int>::shared_bytes<Reducer>},
                 ReduceOne<Reducer, T>{width, count, {0, count}, there.data() + shift, out.data()});
  const Buffer<double> all = download(machine, out);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == all[i % size]);  // every thread has the same
  return {all.begin(), all.begin() + size};
}

}  // namespace

TEST_CASE("moments of a plane equal the CPU's, aligned or not, by a warp or a block") {
  for (const Index count : {1, 2, 31, 32, 33, 49, 127, 196, 1000, 3136})
    for (const Index shift : {0, 1, 3})
      for (const int width : {32, 64, 256}) {
        CAPTURE(count);
        CAPTURE(shift);
        CAPTURE(width);
        const HostMachine machine(Schedule::random(static_cast<std::uint64_t>(count + shift)));
        const auto plane = noise<float>("plane", count + shift, 1000.0, 1001.0);
        const auto found = reduce<MeanStd>(machine, plane, shift, width);
        const auto expected = cpu::reduce(MeanStd{}, count, plane.data() + shift);
        CHECK(found[0] == expected.shift);
        CHECK(!(std::abs(found[1] - expected.sum) > 1e-5 * static_cast<double>(count)));
        CHECK(!(std::abs(found[2] - expected.squares) > 1e-5 * static_cast<double>(count)));
      }
}

TEST_CASE("the largest element is found wherever it stands") {
  for (const Index count : {1, 49, 300})
    for (Index place = 0; place < count; place += 7) {
      Buffer<half> plane(static_cast<std::size_t>(count), half(-1.0F));
      at(plane, place) = half(2.0F);
      for (const int width : {32, 128}) {
        const HostMachine machine(Schedule::forward());
        CHECK(reduce<Max>(machine, plane, 0, width)[0] == 2.0);
        const auto there = on(machine, plane);
        const cuda::DeviceBuffer<Index> found(machine, width);
        machine.launch({1, width, 1024}, FindOne<half>{width, count, 2.0, there.data(), found.data()});
        for (const Index k : download(machine, found)) CHECK(k == place);
        machine.launch({1, width, 1024}, FindOne<half>{width, count, 3.0, there.data(), found.data()});
        for (const Index k : download(machine, found)) CHECK(k == count);
      }
    }
}

TEST_CASE("sums that overflow float are taken in double") {
  const HostMachine machine(Schedule::forward());
  Buffer<float> plane(100, 0.0F);
  for (std::size_t i = 0; i < plane.size(); i += 2) plane[i] = 3e30F;
  const auto state = reduce<MeanStd>(machine, plane, 0, 32);
  CHECK(std::isfinite(state[2]));
  CHECK(state[2] > 4e62);
}

TEST_CASE("maps cover their stretch and nothing else") {
  for (const Index count : {1, 5, 49, 64, 131, 1024})
    for (const Index begin : {0, 1, 4, 32})
      for (const int width : {32, 256}) {
        const HostMachine machine(Schedule::reverse());
        const auto x = on(machine, noise<float>("x", begin + count + 8));
        const auto y = on(machine, Buffer<float>(static_cast<std::size_t>(begin + count + 8), -7.0F));
        machine.launch({1, width}, MapOne<float>{width, {begin, begin + count}, x.data(), y.data()});
        const auto from = download(machine, x);
        const auto to = download(machine, y);
        for (Index k = 0; k < begin + count + 8; ++k)
          CHECK(at(to, k) == (k >= begin && k < begin + count ? 2 * at(from, k) : -7.0F));
      }
}

TEST_CASE("aligned planes come in loads of 128 bits") {
  const HostMachine machine(Schedule::forward());
  const auto x = on(machine, noise<float>("x", 1025));
  const auto y = on(machine, noise<float>("y", 1025));
  machine.launch({1, 32}, MapOne<float>{32, {0, 1024}, x.data(), y.data()});
  CHECK(machine.traffic().vector_accesses == 512);
  machine.launch({1, 32}, MapOne<float>{32, {1, 1025}, x.data(), y.data()});
  CHECK(machine.traffic().vector_accesses == 512);
}
