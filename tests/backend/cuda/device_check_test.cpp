// SPDX-License-Identifier: Apache-2.0
// What device_check does on a card, on the host run: the code that compares is right, and finds what is wrong.
#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "tests/backend/cuda/device/comparison.hpp"
#include "tests/backend/cuda/device/on_device.hpp"
#include "tests/backend/cuda/device/run.hpp"
#include "tests/backend/cuda/device/run_layers.hpp"
#include "tests/support/host_run/machine.hpp"

using namespace recal;
using namespace recal::device_check;
using recal::testing::Checks;
using recal::testing::HostMachine;
using recal::testing::Schedule;

namespace {

Result run_here(const Job& job) {
  const HostMachine machine(Schedule::forward(), Checks::off);
  return run<float>(OnDevice<HostMachine>{machine}, job);
}

Layers run_layers_here(const Tensor<float>& x) { return run_layers(HostMachine(), x); }

}  // namespace

TEST_CASE("everything that device_check asks of a card holds on the host run") {
  int reports = 0;
  const Comparison comparison{run_here, run_layers_here, [&](const std::string& what, double error, double allowed) {
                                ++reports;
                                CAPTURE(what);
                                CHECK(error <= allowed);
                              }};
  for (const Shape& shape : {Shape{2, 6, 7, 7}, Shape{2, 3, 40, 33}, Shape{1, 5, 14, 14}, Shape{8, 4, 1, 1}})
    comparison.check_units("float", shape);
  comparison.check_layers({5, 7, 33, 35});
  CHECK(reports == 4 * 20 * 7 + 11);
}

TEST_CASE("device_check finds one number that is wrong, and runs that differ") {
  const Shape shape{2, 3, 7, 7};
  int found = 0;
  const auto count = [&](const std::string&, double error, double allowed) { found += error <= allowed ? 0 : 1; };
  const auto spoilt = [&](auto spoil) {
    found = 0;
    const auto run_spoilt = [&](const Job& job) {
      Result result = run_here(job);
      spoil(result);
      return result;
    };
    Comparison{run_spoilt, run_layers_here, count}.check_unit("SRM tail", "float", shape);
    return found;
  };
  CHECK(spoilt([](Result&) {}) == 0);
  CHECK(spoilt([](Result& r) { r.inferred.data()[11] += 1e-4F; }) == 1);
  CHECK(spoilt([](Result& r) { r.dshortcut.data()[12] = 7.0F; }) == 1);
  CHECK(spoilt([](Result& r) { r.dx.data()[13] = NAN; }) == 1);
  CHECK(spoilt([](Result& r) { r.gradients.at("rclb.cfc")[1] += 0.1F; }) == 1);
  CHECK(spoilt([](Result& r) { r.gradients.erase("bn.bias"); }) == 1);
  CHECK(spoilt([](Result& r) { r.states.at("bn.num_batches_tracked")[0] += 1; }) == 1);
  CHECK(spoilt([](Result& r) { r.y = Tensor<float>(); }) >= 1);
  int runs = 0;
  CHECK(spoilt([&](Result& r) { r.dx.data()[0] += 1e-7F * static_cast<float>(runs++); }) == 1);
}
