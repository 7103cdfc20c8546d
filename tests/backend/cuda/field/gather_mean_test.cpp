// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/field/gather_mean.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/device_array.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/noise.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

/// Whether pixel i is in window p of 2e-1 pixels at a stride of e, centred on the window's first pixel.
bool sees(Index extent, Index p, Index i) { return extent == 0 || std::abs(i - p * extent) < extent; }

struct GradientKernel {
  cuda::GatherMean::View view;
  float* dx;

  template <class Context>
  void operator()(const Context& ctx) const {
    const Shape& x = view.windows.map;
    const Index i = ctx.block() * ctx.threads() + ctx.thread();
    if (i < x.size())
      ctx.store(dx + i, view.gradient(ctx, i / x.plane() / x.c, i / x.plane() % x.c, i / x.w % x.h, i % x.w));
  }
};

}  // namespace

TEST_CASE("a window covers a pixel exactly where the pixel knows of the window") {
  for (const int shift : {-1, 1, 2, 3})
    for (const Index size : {1, 2, 5, 8, 17}) {
      const Index extent = shift < 0 ? 0 : Index{1} << shift;
      const Index positions = field_size(size, extent);
      const cuda::Windows windows{{1, 1, size, 1}, {1, 1, positions, 1}, shift};
      Index wrong = 0;
      for (Index p = 0; p < positions; ++p)
        for (Index i = 0; i < size; ++i) {
          const cuda::Region region = windows.region(p, 0);
          wrong += (region.top <= i && i < region.bottom) != sees(extent, p, i) ||
                   (windows.first_window(i) <= p && p <= windows.last_window(i, positions)) != sees(extent, p, i);
        }
      CHECK(wrong == 0);
    }
}

TEST_CASE("means are over the pixels that there are, and each gives its gradient back in equal shares") {
  for (const Index extent : {0, 2, 4, 32})
    for (const Shape& shape : {Shape{2, 3, 7, 5}, Shape{1, 2, 1, 1}, Shape{1, 1, 40, 33}}) {
      const HostMachine m(Schedule::random(2));
      const cuda::GatherMean pool(extent);
      const Shape field = pool.field(shape);
      const auto here = random_tensor<float>("x", shape);
      const cuda::DeviceTensor<float> x(m, here);
      const cuda::DeviceBuffer<double> t(m, field.size());
      const Buffer<double> dt = noise("dt", field.size());
      const auto dt_there = to_device(m, dt);
      const cuda::DeviceBuffer<float> dx(m, shape.size());
      cuda::GatherMean::Tape tape;
      const TensorView<const float> from = x.view();
      pool.begin(m, shape, tape);
      pool.forward(m, from, t.data(), cuda::Pass::train, tape);
      pool.backward(m, from, dt_there.data(), cuda::Pass::train, tape);
      m.launch({(shape.size() + 63) / 64, 64}, GradientKernel{pool.view(shape, tape), dx.data()});
      Buffer<double> expected(static_cast<std::size_t>(shape.size()), 0.0);
      const auto means = download(m, t);
      for (Index f = 0; f < field.size(); ++f) {  // by channel
        const Index plane = f / field.plane() % field.n * shape.c + f / field.plane() / field.n;
        double sum = 0;
        double count = 0;
        const auto for_each_seen = [&](const auto& use) {
          for (Index k = 0; k < shape.plane(); ++k)
            if (sees(extent, f / field.w % field.h, k / shape.w) && sees(extent, f % field.w, k % shape.w))
              use(plane * shape.plane() + k);
        };
        for_each_seen([&](Index i) { sum += here.data()[i], count += 1; });
        for_each_seen([&](Index i) { at(expected, i) += at(dt, f) / count; });
        CHECK(std::abs(at(means, f) - sum / count) <= 1e-12);
      }
      const auto found = download(m, dx);
      for (std::size_t i = 0; i < expected.size(); ++i) CHECK(std::abs(double{found[i]} - expected[i]) <= 1e-6);
    }
}
