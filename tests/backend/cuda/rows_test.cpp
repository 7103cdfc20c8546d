// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/rows.hpp>

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/identity.hpp>
#include <recal/gate/sigmoid.hpp>
#include <recal/pool/mean.hpp>

#include "tests/support/device_array.hpp"
#include "tests/support/host_run/machine.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

constexpr Index groups = 3;
constexpr Index elements_of_row = 10;

struct NotingMachine : HostMachine {
  std::vector<int>* threads;
  template <class Kernel>
  void launch(const cuda::Launch& launch, const Kernel& kernel) const {
    threads->push_back(launch.threads);
    HostMachine::launch(launch, kernel);
  }
};

double some(Index i) { return std::sin(static_cast<double>(i)); }
double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

}  // namespace

TEST_CASE("between the passes forward: the parts of a plane are put together, and a group's gates opened") {
  for (const Index rows : {1, 5, 40}) {
    const HostMachine machine(Schedule::random(3));
    const Index planes = groups * rows;
    Buffer<double> parts;
    for (Index i = 0; i < 2 * planes; ++i) append_state<Mean>(parts, {4.0, some(i)});
    const auto states = to_device(machine, parts);
    const cuda::DeviceBuffer<double> style(machine, planes);
    const cuda::DeviceBuffer<double> excitation(machine, planes);
    const cuda::DeviceBuffer<cuda::ApplyNumbers> gates(machine, planes);
    cuda::launch_rows(
        machine, groups, rows,
        cuda::ForwardRows<Mean, Sigmoid, cuda::Identity::View>{
            {}, {}, {}, rows, elements_of_row, {states.data(), 2}, style.data(), excitation.data(), gates.data()});
    const auto found = download(machine, gates);
    for (Index i = 0; i < planes; ++i) {
      const double mean = 4.0 + (some(2 * i) + some(2 * i + 1)) / elements_of_row;
      CHECK(at(found, i).lane[0] == doctest::Approx(sigmoid(mean)).epsilon(1e-7));
      CHECK(at(found, i).lane[1] == 0.0F);
    }
  }
}

TEST_CASE("between the passes backward: from sums over planes to what each is told") {
  for (const Index rows : {1, 40}) {
    const HostMachine machine(Schedule::reverse());
    const Index planes = groups * rows;
    Buffer<double> dots;
    Buffer<double> z;
    for (Index i = 0; i < planes; ++i) append_state<Dots>(dots, {2.0, some(i), some(i + 1)});
    for (Index i = 0; i < planes; ++i) z.push_back(some(i + 2));
    const auto states = to_device(machine, dots);
    const auto styles = to_device(machine, z);
    const cuda::DeviceBuffer<double> grad_style(machine, planes);
    const cuda::DeviceBuffer<double> grad_excitation(machine, planes);
    const cuda::DeviceBuffer<cuda::PullNumbers> pulls(machine, planes);
    cuda::launch_rows(machine, groups, rows,
                      cuda::BackwardRows<Mean, Sigmoid, cuda::Identity::View>{{},
                                                                              {},
                                                                              {},
                                                                              rows,
                                                                              elements_of_row,
                                                                              {states.data(), 1},
                                                                              styles.data(),
                                                                              styles.data(),
                                                                              grad_style.data(),
                                                                              grad_excitation.data(),
                                                                              pulls.data()});
    const auto found = download(machine, pulls);
    for (Index i = 0; i < planes; ++i) {
      const double gate = sigmoid(some(i + 2));
      const double product = some(i + 1) + 2.0 * some(i);  // sum dy x
      CHECK(at(found, i).affine.lane[0] == doctest::Approx(gate).epsilon(1e-7));
      CHECK(at(found, i).affine.lane[1] ==
            doctest::Approx(product * gate * (1 - gate) / elements_of_row).epsilon(1e-6));
      CHECK(at(found, i).affine.lane[2] == 0.0F);
      CHECK(at(found, i).pick.lane[0] == 0.0F);
    }
  }
}

TEST_CASE("few rows are a warp's, many a block's") {
  std::vector<int> threads;
  const NotingMachine machine{HostMachine(), &threads};
  const auto nothing = [](const auto&, Index) {};
  for (const Index rows : {1, 32, 33}) cuda::launch_rows(machine, 1, rows, nothing);
  CHECK(threads == std::vector<int>{32, 32, cuda::plane_threads});
}
