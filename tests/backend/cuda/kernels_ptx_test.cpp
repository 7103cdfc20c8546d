// SPDX-License-Identifier: Apache-2.0
// What nvcc made of every kernel, executed instruction by instruction, against the same source on the host run.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include "tests/backend/cuda/ptx/fields.hpp"
#include "tests/backend/cuda/ptx/layers.hpp"
#include "tests/backend/cuda/ptx/modules.hpp"
#include "tests/backend/cuda/ptx/tails.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/ptx/machine.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

ptx::PtxMachine load(const char* name) {
  return ptx::PtxMachine(ptx::Program::load(std::filesystem::path(RECAL_PTX_DIR) / name));
}

/// The machines that execute what nvcc made of the programs beside ptx/.
const ptx::PtxMachine& modules() {
  static const ptx::PtxMachine machine = load("modules.ptx");
  return machine;
}
const ptx::PtxMachine& fields() {
  static const ptx::PtxMachine machine = load("fields.ptx");
  return machine;
}
const ptx::PtxMachine& tails() {
  static const ptx::PtxMachine machine = load("tails.ptx");
  return machine;
}
const ptx::PtxMachine& layers() {
  static const ptx::PtxMachine machine = load("layers.ptx");
  return machine;
}

/// The largest difference relative to the largest number; infinite where one of them is not finite.
double difference(const std::vector<double>& found, const std::vector<double>& expected) {
  double error = 0;
  double scale = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(found[i]) || !std::isfinite(expected[i])) return INFINITY;
    error = std::max(error, std::abs(found[i] - expected[i]));
    scale = std::max(scale, std::abs(expected[i]));
  }
  return scale > 0 ? error / scale : error;
}

/// CHECKs that run(machine, results) leaves the same on both machines. nvcc contracts products and sums where g++ may
/// not, so results differ in the last digits of float; and a narrow element by a unit in its last place where that tips
/// the balance.
template <class Run>
void check_kernels(const ptx::PtxMachine& interpreter, double tolerance, const Run& run) {
  Results found;
  Results expected;
  run(interpreter, found);
  run(HostMachine(Schedule::forward()), expected);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    REQUIRE(found[i].name == expected[i].name);
    REQUIRE(found[i].numbers.size() == expected[i].numbers.size());
    const double error = difference(found[i].numbers, expected[i].numbers);
    CHECK_MESSAGE(error <= tolerance, found[i].name, " is off by ", error);
  }
}

template <class T>
inline constexpr double allowed = std::is_same_v<T, float>  ? 2e-6
                                  : std::is_same_v<T, half> ? 0x1p-10
                                                            : 0x1p-7;

template <class T>
void check_all(const Shape& shape) {
  CAPTURE(to_string(shape));
  check_kernels(modules(), allowed<T>, [&](const auto& m, Results& r) { run_modules<T>(m, shape, r); });
  check_kernels(fields(), allowed<T>, [&](const auto& m, Results& r) { run_fields<T>(m, shape, r); });
  check_kernels(tails(), allowed<T>, [&](const auto& m, Results& r) { run_tails<T>(m, shape, r); });
  check_kernels(layers(), allowed<T>, [&](const auto& m, Results& r) { run_layers<T>(m, shape, r); });
}

}  // namespace

TEST_CASE("the PTX of every kernel computes what the host run computes") {
  for (const Shape& shape : {Shape{2, 4, 7, 7}, Shape{3, 3, 8, 8}, Shape{2, 2, 40, 40}}) {
    check_all<float>(shape);
    check_all<half>(shape);
    check_all<bfloat16>(shape);
  }
  check_kernels(layers(), 0x1p-7, [](const auto& m, Results& r) { run_training(m, r); });
}

namespace {

/// Bytes per element that a call's kernels load and store, as docs/design.md counts them; for float.
struct PassBytes {
  double loaded;
  double stored;
};

/// CHECKs that what was moved since the last reset is within 10 % of what was designed.
template <class T>
void check_bytes(const ptx::PtxMachine& machine, const char* call, const Shape& shape, const PassBytes& designed) {
  const auto elements = static_cast<double>(shape.size());
  const double narrower = static_cast<double>(sizeof(T)) / sizeof(float);
  const double loaded = static_cast<double>(machine.traffic().coalesced_loaded) / elements / narrower;
  const double stored = static_cast<double>(machine.traffic().coalesced_stored) / elements / narrower;
  CHECK_MESSAGE(std::abs(loaded - designed.loaded) <= 0.1 * designed.loaded, call, " loads ", loaded, ", designed ",
                designed.loaded);
  CHECK_MESSAGE(std::abs(stored - designed.stored) <= 0.1 * designed.stored, call, " stores ", stored, ", designed ",
                designed.stored);
  machine.reset_traffic();
}

template <class T, class Module>
void check_module_bytes(const char* name, Module twin, const Shape& shape, const PassBytes& backward) {
  CAPTURE(std::string(name));
  CAPTURE(to_string(shape));
  const auto& machine = modules();
  set_parameters(machine, twin);
  const cuda::DeviceTensor<T> x(machine, pattern<T>(shape, 1));
  const cuda::DeviceTensor<T> dy(machine, pattern<T>(shape, 2));
  cuda::DeviceTensor<T> y(machine, shape);
  cuda::DeviceTensor<T> dx(machine, shape);
  typename Module::Tape tape;
  machine.reset_traffic();
  twin.infer(machine, x, y, tape);
  check_bytes<T>(machine, "infer", shape, {8, 4});
  twin.forward(machine, x, y, tape);
  check_bytes<T>(machine, "forward", shape, {8, 4});
  twin.backward(machine, x, dy, dx, tape);
  check_bytes<T>(machine, "backward", shape, backward);
}

template <class T>
void check_all_bytes(const Shape& shape) {
  const auto& machine = modules();
  check_module_bytes<T>("SRM", cuda::Srm(machine, shape.c), shape, {16, 4});
  check_module_bytes<T>("SE", cuda::Se<>(machine, shape.c, 1), shape, {12, 4});
  check_module_bytes<T>("GE", cuda::GlobalGeThetaMinus(machine, shape.c), shape, {12, 4});
}

/// The tail's forward pass reads x twice and the shortcut, its backward pass out and dout once and x and dshortcut once
/// more.
template <class T, class Module>
void check_tail_bytes(const char* name, Module twin, const Shape& shape) {
  CAPTURE(std::string(name));
  CAPTURE(to_string(shape));
  const auto& machine = tails();
  cuda::BatchNorm2d norm(machine, shape.c);
  set_parameters(machine, norm);
  set_parameters(machine, twin);
  const cuda::DeviceTensor<T> x(machine, pattern<T>(shape, 1));
  const cuda::DeviceTensor<T> shortcut(machine, pattern<T>(shape, 2));
  cuda::DeviceTensor<T> out(machine, shape);
  cuda::DeviceTensor<T> dshortcut(machine, shape);
  cuda::DeviceTensor<T> dx(machine, shape);
  cuda::BatchNorm2d::Tape norm_tape;
  typename Module::Tape module_tape;
  cuda::ResidualTailTape tape;
  cuda::ResidualTail tail(norm, twin, norm_tape, module_tape, tape);
  machine.reset_traffic();
  tail.forward(machine, x, shortcut, out, Mode::train);
  check_bytes<T>(machine, "forward", shape, {12, 4});
  tail.backward(machine, x, out, shortcut, dshortcut, dx);
  check_bytes<T>(machine, "backward", shape, {20, 8});
}

}  // namespace

TEST_CASE("the PTX moves the bytes that the design counts") {
  for (const Shape& shape : {Shape{2, 4, 28, 28}, Shape{2, 4, 56, 56}}) {
    check_all_bytes<float>(shape);
    check_all_bytes<bfloat16>(shape);
  }
  check_all_bytes<half>({2, 4, 56, 56});
}

TEST_CASE("no kernel has local memory") {
  for (const ptx::PtxMachine* machine : {&modules(), &fields(), &tails(), &layers()})
    for (const ptx::Entry& entry : machine->program().entries()) CHECK_MESSAGE(!entry.local, entry.name);
}

TEST_CASE("every kernel that goes over planes has loads and stores of 128 bits") {
  const auto check_vectors = [](const ptx::PtxMachine& machine, const std::string& kernel, bool stores) {
    int seen = 0;
    for (const ptx::Entry& entry : machine.program().entries()) {
      if (entry.name.find("entry<recal::cuda::" + kernel + "<") == std::string::npos) continue;
      ++seen;
      CHECK_MESSAGE(entry.loads_128 > 0, entry.name);
      if (stores) CHECK_MESSAGE(entry.stores_128 > 0, entry.name);
    }
    CHECK_MESSAGE(seen > 0, kernel);
  };
  check_vectors(modules(), "ReduceKernel", false);
  for (const char* kernel : {"ApplyKernel", "PullKernel", "ChannelForwardKernel", "ChannelBackwardKernel"})
    check_vectors(modules(), kernel, true);
  for (const char* kernel : {"AffineKernel", "NormPullKernel", "TailForwardKernel", "TailBackwardKernel"})
    check_vectors(tails(), kernel, true);
  check_vectors(layers(), "MapKernel", true);
}

TEST_CASE("the PTX of a residual tail moves what a tail without a module would") {
  for (const Shape& shape : {Shape{2, 4, 28, 28}, Shape{2, 4, 56, 56}}) {
    check_tail_bytes<float>("SRM", cuda::Srm(tails(), shape.c), shape);
    check_tail_bytes<float>("SE", cuda::Se<>(tails(), shape.c, 2), shape);
    check_tail_bytes<bfloat16>("GE", cuda::GlobalGeThetaMinus(tails(), shape.c), shape);
  }
}
