// SPDX-License-Identifier: Apache-2.0
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/backend/cuda/planes.hpp>
#include <recal/pool/mean_std.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

/// Ways of sharing out planes of 3000 elements.
const std::vector<cuda::Split> splits{{32, 1, 3000},  {256, 1, 3000}, {256, 2, 1504},
                                      {256, 3, 1024}, {32, 4, 992},   {256, 94, 32}};

const Shape ragged{2, 3, 50, 60};

template <class T>
cuda::DeviceBuffer<T> filled(const HostMachine& machine, Index count, const T& value) {
  cuda::DeviceBuffer<T> there;
  upload(machine, std::span<const T>(Buffer<T>(static_cast<std::size_t>(count), value)), there);
  return there;
}

template <class M, class Kernel>
void launch(const M& machine, const Groups& groups, const cuda::Split& split, const Kernel& kernel) {
  machine.launch({(groups.planes() * split.parts + 256 / split.team - 1) / (256 / split.team), 256, 1320}, kernel);
}

/// Merges the parts of each plane as the rows do, and leaves its mean.
struct MeansKernel {
  cuda::States<MeanStd> states;
  double* means;

  template <class Context>
  void operator()(const Context& ctx) const {
    const Index row = ctx.block();
    double t[2];
    MeanStd{}.finish(states.get(ctx, row), ragged.plane(), t);
    if (ctx.thread() == 0) ctx.store(means + row, t[0]);
  }
};

}  // namespace

TEST_CASE("however planes are shared out, their parts merge to the same sums") {
  const HostMachine machine(Schedule::random(5));
  const Groups groups{ragged, Mixing::samples};
  Tensor<float> here = random_tensor<float>("x", ragged);
  for (Index i = 0; i < here.size(); ++i) here.data()[i] += 3.0F;
  const cuda::DeviceTensor<float> x(machine, here);
  Buffer<double> expected;
  for (const cuda::Split& split : splits) {
    CAPTURE(split.parts);
    CAPTURE(split.team);
    const cuda::DeviceBuffer<double> numbers(machine, cuda::States<MeanStd>::size(groups.planes(), split.parts));
    const cuda::States<MeanStd> states{numbers.data(), split.parts};
    launch(machine, groups, split, cuda::ReduceKernel<MeanStd, float>{groups, split, x.view(), states});
    const cuda::DeviceBuffer<double> means(machine, groups.planes());
    machine.launch({groups.planes(), 32}, MeansKernel{states, means.data()});
    const Buffer<double> found = download(machine, means);
    if (expected.empty()) expected = found;
    CHECK(relative_error(found, expected) <= 1e-6);
  }
}

TEST_CASE("however planes are shared out, every element is mapped once") {
  const HostMachine machine(Schedule::reverse());
  const Groups groups{ragged, Mixing::channels};
  const Tensor<float> here = random_tensor<float>("x", ragged);
  const cuda::DeviceTensor<float> x(machine, here);
  const auto gates = filled(machine, groups.planes(), cuda::ApplyNumbers{{2.0F, 1.0F}});
  for (const cuda::Split& split : splits) {
    const cuda::DeviceTensor<float> y(machine, ragged);
    launch(machine, groups, split, cuda::ApplyKernel<float, float>{groups, split, x.view(), y.view(), gates.data()});
    const Tensor<float> found = y.to_host(machine);
    for (Index i = 0; i < here.size(); ++i) CHECK(found.data()[i] == here.data()[i] * 2.0F + 1.0F);
  }
}

TEST_CASE("the gradient of a plane: with and without a slope, and a pick at the first of its equals") {
  const HostMachine machine(Schedule::random(2));
  const Groups groups{ragged, Mixing::channels};
  Tensor<float> here = random_tensor<float>("x", ragged);
  for (Index n = 0; n < ragged.n; ++n)
    for (Index c = 0; c < ragged.c; ++c) here.view().plane(n, c)[1500] = here.view().plane(n, c)[2000] = 5.0F;
  const Tensor<float> gradient = random_tensor<float>("dy", ragged);
  const cuda::DeviceTensor<float> x(machine, here);
  const cuda::DeviceTensor<float> dy(machine, gradient);
  for (const float slope : {0.0F, 0.5F})
    for (const float pick : {0.0F, 3.0F}) {
      const auto pulls =
          filled(machine, groups.planes(), cuda::PullNumbers{{{2.0F, 0.25F, slope, 1.0F}}, {{pick, 5.0F, 0.0F, 0.0F}}});
      for (const cuda::Split& split : splits) {
        const cuda::DeviceTensor<float> dx(machine, ragged);
        launch(machine, groups, split,
               cuda::PullKernel<float, float, float>{groups, split, x.view(), dy.view(), dx.view(), pulls.data()});
        Tensor<float> expected(ragged);
        for (Index i = 0; i < here.size(); ++i) {
          const float along = slope * (here.data()[i] - 1.0F) + 0.25F;
          expected.data()[i] = gradient.data()[i] * 2.0F + along + (i % ragged.plane() == 1500 ? pick : 0.0F);
        }
        CHECK(relative_error(dx.to_host(machine), expected) <= 1e-7);
      }
    }
}
