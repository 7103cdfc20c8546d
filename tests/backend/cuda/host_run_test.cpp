// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include <doctest/doctest.h>

#include <recal/backend/cuda/device_buffer.hpp>

#include "tests/support/host_run/address_kernels.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/host_run/race_kernels.hpp"
#include "tests/support/host_run/wait_kernels.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

std::vector<Schedule> all_schedules() {
  return {Schedule::forward(), Schedule::reverse(), Schedule::random(1), Schedule::random(2), Schedule::random(3)};
}

constexpr cuda::Launch two_blocks{2, 128, 128 * sizeof(float)};
constexpr Index elements = two_blocks.blocks * two_blocks.threads;

std::vector<float> some_numbers(Index count) {
  std::vector<float> x(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < x.size(); ++k) x[k] = 1.0F / static_cast<float>(k + 3);
  return x;
}

/// The text of the fault, empty where there is none.
template <class Kernel>
std::string fault_of(const HostMachine& machine, const cuda::Launch& launch, const Kernel& kernel) {
  try {
    machine.launch(launch, kernel);
  } catch (const kernel_fault& found) {
    return found.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// x with `more` elements than there are threads, and y cleared, on a machine.
struct Arrays {
  Arrays(const HostMachine& on, Index more) : machine(on), y(on, elements) {
    const std::vector<float> numbers = some_numbers(elements + more);
    upload(on, std::span<const float>(numbers), x);
    clear(on, y);
  }

  template <class Kernel>
  std::string run(bool faulty) const {
    return fault_of(machine, two_blocks, Kernel{faulty, x.data(), y.data()});
  }

  HostMachine machine;
  cuda::DeviceBuffer<float> x{};
  cuda::DeviceBuffer<float> y;
};

/// CHECKs that in every order the faulty kernel is reported with all `parts`, that its twin is not, with the same
/// result in every order, and that a machine still works after a fault.
template <class Kernel>
void check_found(const std::vector<std::string>& parts, Index more = 0) {
  std::vector<Buffer<float>> results;
  for (const Schedule& schedule : all_schedules()) {
    CAPTURE(to_string(schedule));
    const HostMachine machine(schedule);
    Arrays arrays(machine, more);
    const std::string found = arrays.run<Kernel>(true);
    CAPTURE(found);
    CHECK(has(found, "recal: kernel " + demangled(typeid(Kernel)) + ", block "));
    CHECK(has(found, "_kernels.hpp:"));
    for (const std::string& part : parts) CHECK_MESSAGE(has(found, part), part);
    clear(machine, arrays.y);
    CHECK(arrays.run<Kernel>(false) == "");
    results.push_back(download(machine, arrays.y));
    CHECK(std::memcmp(results.back().data(), results.front().data(), arrays.y.bytes()) == 0);
  }
}

}  // namespace

TEST_CASE("accesses that no barrier orders are found in every order") {
  check_found<kernels::DroppedBarrier>(
      {"missing barrier: ", "of shared memory, which thread ", " since the last barrier"});
  check_found<kernels::WriteAfterRead>(
      {"missing barrier: ", "of shared memory, which thread ", " since the last barrier"});
  check_found<kernels::WriteAfterWrite>({"missing barrier: store of 4 bytes at byte ", "wrote since the last barrier"});
  check_found<kernels::ShuffleForBarrier>({"missing barrier: ", "of shared memory, which thread "});
  check_found<kernels::WriteAfterAllRead>({"missing barrier: ", " at byte 0 of shared memory, which "});
  check_found<kernels::GlobalWithoutBarrier>(
      {"missing barrier: ", " of 1024, which thread ", "since the last barrier"});
  check_found<kernels::TwoThreadsWriteOnePlace>(
      {"missing barrier: store of 4 bytes at byte ", " of 1024, which thread "});
  check_found<kernels::HalfOfAWord>({"missing barrier: ", " of 1024, which thread ", "since the last barrier"});
}

TEST_CASE("blocks that meet in global memory are found in every order") {
  check_found<kernels::TwoBlocksWriteOnePlace>(
      {"clash of blocks: store of 4 bytes at byte ", " of 1024, which block ", " wrote in the same launch"});
  check_found<kernels::BlockWritesWhatAllRead>({"clash of blocks: ", " of 1024, which block "});
  check_found<kernels::BlockReadsWhatAnotherWrites>({"clash of blocks: load of 4 bytes", " of 1024, which block "});
}

TEST_CASE("barriers that not all threads reach are found in every order") {
  check_found<kernels::DivergentBarrier>({"thread 0, ", "divergent barrier: 5 waiting in barrier at wait_kernels.hpp:",
                                          "(first: thread 0); 123 finished (first: thread 5)"});
  check_found<kernels::EarlyReturn>({"divergent barrier: 100 waiting in barrier at wait_kernels.hpp:",
                                     "(first: thread 0); 28 finished (first: thread 100)"});
  check_found<kernels::TwoBranchesWithABarrier>({"divergent barrier: 32 waiting in barrier at ",
                                                 "(first: thread 0); 96 waiting in barrier at ", "(first: thread 32)"});
  check_found<kernels::BarrierWhileOthersShuffle>(
      {"divergent barrier: 32 waiting in barrier at ", "(first: thread 0); 96 waiting in barrier at "});
}

TEST_CASE("shuffles that not all lanes reach are found in every order") {
  check_found<kernels::PartialShuffle>({"partial shuffle: 31 waiting in shuffle of 4 bytes at wait_kernels.hpp:",
                                        "(first: thread 32); 1 finished (first: thread 40)"});
  check_found<kernels::BarrierInAShuffle>({"partial shuffle: 16 waiting in shuffle of 4 bytes at ",
                                           "(first: thread 32); 16 waiting in barrier at ", "(first: thread 48)"});
  check_found<kernels::DifferentShuffles>(
      {"mismatched shuffle: 16 waiting in shuffle_down of 4 bytes at ", "; 16 waiting in shuffle of 4 bytes at "});
  check_found<kernels::ShuffleOfNoLane>({"shuffle out of range: 0 <= 32 < 32 does not hold"});
}

TEST_CASE("accesses beyond global memory are found in every order") {
  check_found<kernels::OffByOneRead>(
      {"block 1, thread 127, ",
       "out of bounds: load of 4 bytes begins 0 bytes past the end of 1024 bytes (off by one?)"});
  check_found<kernels::OffByOneWrite>(
      {"block 0, thread 0, ",
       "out of bounds: store of 4 bytes begins 4 bytes before the beginning of 1024 bytes (off by one?)"});
  check_found<kernels::VectorPastTheEnd>({"out of bounds: load of 16 bytes reaches 8 bytes past the end of 1032 bytes"},
                                         2);
  check_found<kernels::MisalignedVector>({"misaligned load of 16 bytes: 4 past a multiple of 16"}, 4);
}

TEST_CASE("accesses to shared memory that is not written, not there or not aligned are found in every order") {
  check_found<kernels::UninitialisedShared>(
      {"thread 77, ",
       "uninitialised read: load of 4 bytes at byte 308 of shared memory, which no thread of the block "
       "has written"});
  check_found<kernels::SharedIndexBeyond>({"thread 127, ", "shared index out of bounds: 0 <= 128 < 128 does not hold"});
  check_found<kernels::SharedTooSmall>(
      {"shared memory too small: 129 elements of 4 bytes from byte 0 on in 512 bytes"});
  check_found<kernels::MisalignedShared>({"misaligned shared memory: byte 4 is no multiple of 8"});
}

namespace {

/// The sum of a block's part of x, by halves of a warp and then by way of shared memory.
struct BlockSum {
  Index part;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto shared = ctx.template shared<float>(0, ctx.threads() / cuda::warp_lanes);
    float sum = 0;
    for (Index k = ctx.thread(); k < part; k += ctx.threads()) sum += ctx.load(x + ctx.block() * part + k);
    for (int by = 16; by > 0; by /= 2) sum += ctx.shuffle_down(sum, by);
    if (ctx.thread() % cuda::warp_lanes == 0) shared.set(ctx.thread() / cuda::warp_lanes, sum);
    ctx.barrier();
    float total = 0;
    for (int w = 0; w < ctx.threads() / cuda::warp_lanes; ++w) total += shared.get(w);
    if (ctx.thread() == 0) ctx.store(y + ctx.block(), total);
  }
};

struct VectorCopy {
  Index vectors;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    using Four = cuda::Vector<float, 4>;
    for (Index k = kernels::element(ctx); k < vectors; k += ctx.blocks() * ctx.threads())
      ctx.store(reinterpret_cast<Four*>(y) + k, ctx.load(reinterpret_cast<const Four*>(x) + k));
  }
};

}  // namespace

TEST_CASE("a sum over blocks has the same bits in every order, and the right value") {
  constexpr Index blocks = 5;
  constexpr Index part = 1000;
  const std::vector<float> x = some_numbers(blocks * part);
  std::vector<Buffer<float>> results;
  for (const Schedule& schedule : all_schedules()) {
    const HostMachine machine(schedule);
    cuda::DeviceBuffer<float> x_there;
    upload(machine, std::span<const float>(x), x_there);
    const cuda::DeviceBuffer<float> y_there(machine, blocks);
    machine.launch({blocks, 256, 64}, BlockSum{part, x_there.data(), y_there.data()});
    results.push_back(download(machine, y_there));
    CHECK(std::memcmp(results.back().data(), results.front().data(), y_there.bytes()) == 0);
  }
  for (std::size_t b = 0; b < blocks; ++b) {
    const double sum = std::accumulate(x.begin() + static_cast<std::ptrdiff_t>(b * part),
                                       x.begin() + static_cast<std::ptrdiff_t>((b + 1) * part), 0.0);
    CHECK(std::abs(results[0][b] - sum) <= 1e-5 * sum);
  }
}

TEST_CASE("a copy by vectors arrives, and its traffic is counted") {
  const std::vector<float> x = some_numbers(4 * 1000);
  for (const Schedule& schedule : all_schedules()) {
    const HostMachine machine(schedule);
    cuda::DeviceBuffer<float> x_there;
    upload(machine, std::span<const float>(x), x_there);
    const cuda::DeviceBuffer<float> y_there(machine, x_there.size());
    machine.launch({3, 64, 0}, VectorCopy{1000, x_there.data(), y_there.data()});
    const Buffer<float> y = download(machine, y_there);
    CHECK(std::equal(y.begin(), y.end(), x.begin(), x.end()));

    CHECK(machine.last_launch() == Traffic{1, 16000, 16000, 2000, 2000});
    const cuda::DeviceBuffer<float> sums(machine, 1);
    machine.launch({1, 32, 4}, BlockSum{100, x_there.data(), sums.data()});
    CHECK(machine.last_launch() == Traffic{1, 400, 4, 101, 0});
    CHECK(machine.traffic() == Traffic{2, 16400, 16004, 2101, 2000});
  }
}

namespace {

/// 2-byte elements that share words, of different threads.
struct NarrowElements {
  bool faulty;
  const std::uint16_t* x;
  std::uint16_t* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto shared = ctx.template shared<std::uint16_t>(0, ctx.threads());
    shared.set(ctx.thread(), ctx.load(x + ctx.thread()));
    ctx.store(y + ctx.thread(), shared.get(ctx.thread()));
    if (faulty && ctx.thread() == 0) (void)ctx.load(reinterpret_cast<const std::uint32_t*>(y));
  }
};

struct LoadOne {
  const float* x;
  template <class Context>
  void operator()(const Context& ctx) const {
    (void)ctx.load(x);
  }
};

struct WarpExchange {
  double* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto own = static_cast<double>(ctx.thread());
    ctx.store(y + 2 * ctx.thread(), ctx.shuffle(own, (ctx.thread() + 5) % 32));
    ctx.store(y + 2 * ctx.thread() + 1, ctx.shuffle_down(own, ctx.thread() % 32));
  }
};

struct Throws {
  int* destroyed;
  struct Counted {
    int* destroyed;
    ~Counted() { ++*destroyed; }
  };
  template <class Context>
  void operator()(const Context& ctx) const {
    const Counted counted{destroyed};
    ctx.barrier();
    if (ctx.thread() == 9) throw std::domain_error("thread 9");
    ctx.barrier();
  }
};

struct Visits {
  std::vector<Index>* order;
  template <class Context>
  void operator()(const Context& ctx) const {
    order->push_back(kernels::element(ctx));
    ctx.barrier();
    order->push_back(kernels::element(ctx));
  }
};

struct StoreIndex {
  Index* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    ctx.store(y + kernels::element(ctx), kernels::element(ctx));
  }
};

}  // namespace

TEST_CASE("elements of different threads may share a word, but no byte") {
  for (const Schedule& schedule : all_schedules()) {
    const HostMachine machine(schedule);
    const cuda::DeviceBuffer<std::uint16_t> x(machine, 64);
    const cuda::DeviceBuffer<std::uint16_t> y(machine, 64);
    const cuda::Launch launch{1, 64, 128};
    CHECK(fault_of(machine, launch, NarrowElements{false, x.data(), y.data()}) == "");
    CHECK(has(fault_of(machine, launch, NarrowElements{true, x.data(), y.data()}), "missing barrier: "));
  }
}

TEST_CASE("a shuffle gives the value of any lane of the warp") {
  for (const Schedule& schedule : all_schedules()) {
    const HostMachine machine(schedule);
    const cuda::DeviceBuffer<double> y_there(machine, 2 * 64);
    machine.launch({1, 64, 0}, WarpExchange{y_there.data()});
    const Buffer<double> y = download(machine, y_there);
    for (int t = 0; t < 64; ++t) {
      const std::size_t k = 2 * static_cast<std::size_t>(t);
      const int lane = t % 32;
      CHECK(y[k] == t - lane + (lane + 5) % 32);
      CHECK(y[k + 1] == (lane < 16 ? t + lane : t));
    }
  }
}

TEST_CASE("what a kernel throws comes out of the launch, and all threads are unwound") {
  for (const Schedule& schedule : all_schedules()) {
    const HostMachine machine(schedule);
    int destroyed = 0;
    CHECK_THROWS_WITH_AS(machine.launch({3, 64, 0}, Throws{&destroyed}), "thread 9", std::domain_error);
    CHECK(destroyed == 64);
  }
}

TEST_CASE("every thread gets its turn between barriers, in the order of the schedule") {
  std::vector<std::vector<Index>> orders;
  for (const Schedule& schedule : all_schedules()) {
    orders.emplace_back();
    HostMachine(schedule).launch({3, 32, 0}, Visits{&orders.back()});
  }
  std::vector<Index> forward;
  for (Index block = 0; block < 3; ++block)
    for (int turn = 0; turn < 2; ++turn)
      for (Index thread = 0; thread < 32; ++thread) forward.push_back(32 * block + thread);
  CHECK(orders[0] == forward);
  CHECK(orders[1] == std::vector<Index>(forward.rbegin(), forward.rend()));
  for (std::size_t k = 2; k < orders.size(); ++k) {
    CHECK(std::is_permutation(orders[k].begin(), orders[k].end(), forward.begin(), forward.end()));
    for (std::size_t j = 0; j < k; ++j) CHECK(orders[k] != orders[j]);
  }
}

TEST_CASE("without checks races pass, and bounds, barriers and shuffles do not") {
  const Arrays arrays(HostMachine(Schedule::forward(), Checks::off), 0);
  CHECK(arrays.run<kernels::DroppedBarrier>(true) == "");
  CHECK(arrays.run<kernels::TwoBlocksWriteOnePlace>(true) == "");
  CHECK(has(arrays.run<kernels::OffByOneRead>(true), "out of bounds"));
  CHECK(has(arrays.run<kernels::MisalignedVector>(true), "misaligned"));
  CHECK(has(arrays.run<kernels::SharedIndexBeyond>(true), "shared index out of bounds"));
  CHECK(has(arrays.run<kernels::DivergentBarrier>(true), "divergent barrier"));
  CHECK(has(arrays.run<kernels::PartialShuffle>(true), "partial shuffle"));
  CHECK(arrays.run<kernels::UninitialisedShared>(true) == "");
  CHECK(std::isnan(download(arrays.machine, arrays.y)[77]));
}

TEST_CASE("device memory is new, aligned, full of NaN and gone with its last owner") {
  const HostMachine machine;
  const float* gone = nullptr;
  {
    cuda::DeviceBuffer<float> x(machine, 3);
    gone = x.data();
    CHECK(reinterpret_cast<std::uintptr_t>(gone) % 256 == 0);
    for (const float value : download(machine, x)) CHECK(std::isnan(value));
    CHECK(fault_of(machine, {1, 32, 0}, LoadOne{gone}) == "");
    CHECK(has(fault_of(HostMachine(), {1, 32, 0}, LoadOne{gone}), "out of bounds"));  // another machine's
  }
  CHECK(has(fault_of(machine, {1, 32, 0}, LoadOne{gone}), "there is no device memory"));
  const cuda::DeviceBuffer<float> y(machine, 3);
  CHECK(y.data() != gone);
  CHECK(has(fault_of(machine, {1, 32, 0}, LoadOne{nullptr}), "out of bounds"));
}

TEST_CASE("nothing is behind a device address for those who follow it past the context") {
  const HostMachine machine;
  const cuda::DeviceBuffer<float> x(machine, 64);
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  CHECK(::write(ends[1], x.data(), 1) == -1);
  CHECK(errno == EFAULT);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("copies beyond device memory are refused") {
  const HostMachine machine;
  const cuda::DeviceBuffer<float> x(machine, 4);
  std::vector<float> host(5, 1.0F);
  CHECK_THROWS_WITH_AS(machine.copy_to_device(x.data(), host.data(), 20),
                       "recal: copy_to_device of 20 bytes out of bounds: reaches 4 bytes past the end of 16 bytes",
                       error);
  CHECK_THROWS_AS(machine.copy_to_host(host.data(), x.data() + 1, 16), error);
  CHECK_THROWS_AS(machine.clear(x.data() - 1, 4), error);
  machine.copy_to_device(x.data() + 1, host.data(), 12);
  machine.clear(x.data() + 3, 4);
  machine.copy_to_host(host.data(), x.data(), 16);
  CHECK(std::isnan(host[0]));
  CHECK(std::vector<float>(host.begin() + 1, host.end()) == std::vector<float>{1, 1, 0, 1});
}

TEST_CASE("launches that no card takes are refused, and one without blocks does nothing") {
  const HostMachine machine;
  for (const int threads : {-32, 0, 1, 48, 1056})
    CHECK_THROWS_AS(machine.launch({1, threads, 0}, LoadOne{nullptr}), error);
  CHECK_THROWS_AS(machine.launch({-1, 32, 0}, LoadOne{nullptr}), error);
  CHECK_THROWS_AS(machine.launch({1, 32, -1}, LoadOne{nullptr}), error);
  CHECK_THROWS_AS(machine.launch({1, 32, (48 << 10) + 1}, LoadOne{nullptr}), error);
  machine.launch({0, 32, 0}, LoadOne{nullptr});
  CHECK(machine.last_launch() == Traffic{1});

  const cuda::DeviceBuffer<Index> y(machine, 2 * 1024);
  machine.launch({2, 1024, 48 << 10}, StoreIndex{y.data()});
  const Buffer<Index> numbers = download(machine, y);
  for (std::size_t k = 0; k < numbers.size(); ++k) CHECK(numbers[k] == static_cast<Index>(k));
}
