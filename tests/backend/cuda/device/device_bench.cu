// SPDX-License-Identifier: Apache-2.0
// device_bench: how fast the card copies, and how fast every module runs on it. Medians of 20 repetitions after 5 that
// do not count, each timed by CUDA events. GB/s are those of the tensors' elements that a pass has to move if nothing
// stays in a cache: 3 tensors forward (x twice, y), 5 backward (x and dy twice, dx). 77 without a card.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <recal/backend/cuda/available.hpp>
#include <recal/backend/cuda/stream.hpp>

#include "device_modules.hpp"

using namespace recal;

namespace {

/// Milliseconds that f takes on the device: the median.
template <class F>
double median_ms(const cuda::Stream& stream, const F& f) {
  constexpr int warm_up = 5;
  constexpr int repetitions = 20;
  cudaEvent_t begin;
  cudaEvent_t end;
  cuda::check_runtime(cudaEventCreate(&begin), "making an event");
  cuda::check_runtime(cudaEventCreate(&end), "making an event");
  std::vector<float> times;
  for (int i = -warm_up; i < repetitions; ++i) {
    cuda::check_runtime(cudaEventRecord(begin, stream.handle()), "recording an event");
    f();
    cuda::check_runtime(cudaEventRecord(end, stream.handle()), "recording an event");
    stream.wait();
    float ms = 0;
    cuda::check_runtime(cudaEventElapsedTime(&ms, begin, end), "reading events");
    if (i >= 0) times.push_back(ms);
  }
  cuda::check_runtime(cudaEventDestroy(begin), "giving back an event");
  cuda::check_runtime(cudaEventDestroy(end), "giving back an event");
  std::nth_element(times.begin(), times.begin() + repetitions / 2, times.end());
  return static_cast<double>(times[repetitions / 2]);
}

void print_row(const char* module, const char* element, const Shape& shape, const char* pass, double ms, double bytes) {
  const std::string size = std::to_string(shape.n) + "x" + std::to_string(shape.c) + "x" + std::to_string(shape.h) +
                           "x" + std::to_string(shape.w);
  std::printf("%-6s %-9s %-16s %-9s %9.4f ms %8.1f GB/s\n", module, element, size.c_str(), pass, ms, bytes / ms / 1e6);
}

template <class T>
void measure_copy(const cuda::Stream& stream, const char* element, const Shape& shape) {
  const cuda::DeviceBuffer<T> from(stream, shape.size());
  const cuda::DeviceBuffer<T> to(stream, shape.size());
  stream.clear(from.data(), from.bytes());
  const double ms = median_ms(stream, [&] {
    cuda::check_runtime(
        cudaMemcpyAsync(to.data(), from.data(), from.bytes(), cudaMemcpyDeviceToDevice, stream.handle()), "copying");
  });
  print_row("copy", element, shape, "", ms, 2.0 * static_cast<double>(from.bytes()));
}

template <class T>
void measure_modules(const cuda::Stream& stream, const char* element, const Shape& shape) {
  Tensor<T> numbers(shape);
  for (Index i = 0; i < numbers.size(); ++i)
    numbers.data()[i] = static_cast<T>(static_cast<float>(random_unit(1, static_cast<std::uint64_t>(i))));
  const cuda::DeviceTensor<T> x(stream, numbers);
  const cuda::DeviceTensor<T> dy(stream, numbers);
  cuda::DeviceTensor<T> y(stream, shape);
  cuda::DeviceTensor<T> dx(stream, shape);
  const double bytes = static_cast<double>(shape.size()) * sizeof(T);
  for (const char* name : {"SRM", "SE", "GE", "ECA", "GCT", "GRN"})
    device_check::with_module(stream, name, shape.c, std::max<Index>(1, shape.c / 16), 5, [&](auto unit) {
      typename decltype(unit)::Tape workspace;
      typename decltype(unit)::Tape tape;
      print_row(name, element, shape, "infer", median_ms(stream, [&] { unit.infer(stream, x, y, workspace); }),
                3 * bytes);
      print_row(name, element, shape, "forward", median_ms(stream, [&] { unit.forward(stream, x, y, tape); }),
                3 * bytes);
      print_row(name, element, shape, "backward", median_ms(stream, [&] { unit.backward(stream, x, dy, dx, tape); }),
                5 * bytes);
    });
}

}  // namespace

int main() {
  if (!cuda::available()) {
    std::printf("no CUDA card here\n");
    return 77;
  }
  const cuda::Stream stream;
  for (const Shape& shape :
       {Shape{32, 256, 56, 56}, Shape{32, 512, 28, 28}, Shape{32, 1024, 14, 14}, Shape{32, 2048, 7, 7}}) {
    measure_copy<float>(stream, "float", shape);
    measure_modules<float>(stream, "float", shape);
    measure_copy<half>(stream, "half", shape);
    measure_modules<half>(stream, "half", shape);
  }
}
