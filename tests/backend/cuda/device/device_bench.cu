// SPDX-License-Identifier: Apache-2.0
// device_bench: how fast the card copies, and how fast every module, residual tail and batch norm runs on it. Medians
// of 20 repetitions after 5 that do not count, each timed by CUDA events. GB/s are those of the tensors' elements that
// a pass has to move if nothing stays in a cache (Moved in units.hpp). 77 without a card.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <recal/backend/cuda/available.hpp>
#include <recal/backend/cuda/stream.hpp>

#include "on_device.hpp"
#include "units.hpp"

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

void print_row(std::string_view unit, const char* element, const Shape& shape, const char* pass, double ms,
               double bytes) {
  const std::string size = std::to_string(shape.n) + "x" + std::to_string(shape.c) + "x" + std::to_string(shape.h) +
                           "x" + std::to_string(shape.w);
  std::printf("%-14s %-9s %-16s %-9s %9.4f ms %8.1f GB/s\n", std::string(unit).c_str(), element, size.c_str(), pass, ms,
              bytes / ms / 1e6);
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
void measure_units(const cuda::Stream& stream, const char* element, const Shape& shape) {
  Tensor<float> numbers(shape);
  for (Index i = 0; i < numbers.size(); ++i)
    numbers.data()[i] = static_cast<float>(random_unit(1, static_cast<std::uint64_t>(i)));
  const device_check::OnDevice<cuda::Stream> of{stream};
  device_check::PassTensors<cuda::DeviceTensor<T>> t{of.tensor<T>(numbers), of.tensor<T>(numbers),
                                                     of.tensor<T>(numbers)};
  for (auto* made : {&t.inferred, &t.y, &t.dshortcut, &t.dx}) made->resize(stream, shape);
  const double bytes = static_cast<double>(shape.size()) * sizeof(T);
  const auto measure = [&](std::string_view name) {
    device_check::with_unit(of, name, shape, [&](auto unit) {
      const device_check::Moved& moved = unit.moved;
      const auto row = [&](const char* pass, double tensors, const auto& f) {
        print_row(name, element, shape, pass, median_ms(stream, f), tensors * bytes);
      };
      row("infer", moved.infer, [&] { unit.infer(of, t); });
      row("forward", moved.forward, [&] { unit.forward(of, t, Mode::train); });
      row("backward", moved.backward, [&] { unit.backward(of, t); });
    });
  };
  for (const auto names : {std::span<const std::string_view>(device_check::module_names),
                           {device_check::tail_names},
                           {device_check::norm_names}})
    for (const std::string_view name : names) measure(name);
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
    measure_units<float>(stream, "float", shape);
    measure_copy<half>(stream, "half", shape);
    measure_units<half>(stream, "half", shape);
  }
}
