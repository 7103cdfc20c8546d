// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/field/depthwise.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/device_array.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/noise.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

double dot(const Buffer<double>& a, const Buffer<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Sum over pixels of w x at every position, straight from where a tap of a 3x3 window at stride 2 falls.
Buffer<double> convolved(const cuda::Depthwise& conv, const Buffer<double>& x, const Buffer<float>& w) {
  Buffer<double> y;
  for (Index f = 0; f < conv.out.size(); ++f) {  // by channel, as x is
    const Index plane = f / conv.out.plane();
    const Index p = f / conv.out.w % conv.out.h;
    const Index q = f % conv.out.w;
    double sum = 0;
    for (Index tap = 0; tap < conv.taps(); ++tap) {
      const Index i = tap / conv.kernel_w() + (conv.whole ? 0 : 2 * p - 1);
      const Index j = tap % conv.kernel_w() + (conv.whole ? 0 : 2 * q - 1);
      if (i >= 0 && i < conv.in.h && j >= 0 && j < conv.in.w)
        sum += double{at(w, plane / conv.in.n * conv.taps() + tap)} * at(x, (plane * conv.in.h + i) * conv.in.w + j);
    }
    y.push_back(sum);
  }
  return y;
}

/// The convolution, and with dy the gradients of input and filter.
void check_convolution(const cuda::Depthwise& conv) {
  const HostMachine m(Schedule::random(3));
  const Buffer<double> x = noise("x", conv.in.size(), 0.1, 1);  // positive: no ReLU below is closed
  const Buffer<double> dy = noise("dy", conv.out.size());
  const Buffer<float> w = noise<float>("w", conv.in.c * conv.taps());
  const auto x_there = to_device(m, x);
  const auto dy_there = to_device(m, dy);
  const auto weight = to_device(m, w);
  const auto grad = to_device(m, Buffer<float>(w.size(), 0.5F));
  const cuda::DeviceBuffer<double> y(m, conv.out.size());
  const cuda::DeviceBuffer<double> dx(m, conv.in.size());
  const cuda::ParameterView view{weight.data(), grad.data()};
  const auto field = cuda::field_view(x_there.data(), conv.in);
  const auto split = cuda::split_positions(conv.out, conv.kernel_h(), conv.kernel_w());
  m.launch({split.blocks(conv.out), cuda::plane_threads},
           cuda::DepthwiseKernel<double>{split, conv, field, view, {}, y.data()});
  m.launch({cuda::PositionSplit{}.blocks(conv.in), cuda::plane_threads},
           cuda::DepthwiseGradientKernel{conv, dy_there.data(), weight.data(), x_there.data(), dx.data()});
  if (conv.whole)
    m.launch({(conv.in.c * conv.taps() + 31) / 32, 32},
             cuda::MapFilterGradientKernel<double>{conv, field, dy_there.data(), view, {}});
  else
    m.launch({conv.in.c, 64, cuda::BlockLanes<int>::shared_bytes},
             cuda::HalvingFilterGradientKernel<double>{conv, field, dy_there.data(), view, {}});
  const auto found = download(m, y);
  const auto expected = convolved(conv, x, w);
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(std::abs(found[i] - expected[i]) <= 1e-12);

  // y is linear in x and in w, so <dy, y(x', w)> = <dx, x'> and <dy, y(x, w')> = <dw, w'>.
  const Buffer<double> other = noise("other x", conv.in.size());
  CHECK(dot(dy, convolved(conv, other, w)) == doctest::Approx(dot(download(m, dx), other)).epsilon(1e-9));
  const Buffer<float> tap = noise<float>("other w", conv.in.c * conv.taps());
  const auto added = download(m, grad);
  double along = 0;
  for (std::size_t i = 0; i < tap.size(); ++i) along += (double{added[i]} - 0.5) * double{tap[i]};
  CHECK(dot(dy, convolved(conv, x, tap)) == doctest::Approx(along).epsilon(1e-5));
}

}  // namespace

TEST_CASE("a 3x3 filter at stride 2, and its gradients") {
  for (const Shape& in : {Shape{2, 3, 7, 5}, Shape{1, 2, 1, 1}, Shape{3, 1, 8, 2}, Shape{1, 1, 2, 40}})
    check_convolution(cuda::Depthwise::halving(in));
}

TEST_CASE("a filter of the map's own size, and its gradients") {
  for (const Shape& in : {Shape{2, 3, 7, 5}, Shape{3, 2, 1, 1}, Shape{1, 2, 20, 30}})
    check_convolution(cuda::Depthwise::of_map(in));
}
