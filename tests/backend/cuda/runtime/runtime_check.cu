// SPDX-License-Identifier: Apache-2.0
// The runtime's side on a machine without a card: nothing crashes, and errors say what CUDA said. With a card: memory
// goes there and back, and a kernel runs.
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include <recal/backend/cuda/available.hpp>
#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/backend/cuda/relu.hpp>
#include <recal/backend/cuda/stream.hpp>

namespace {

static_assert(recal::cuda::Machine<recal::cuda::Stream>);

int faults = 0;

void expect(bool ok, const char* what) {
  if (!ok) std::printf("failed: %s\n", what);
  faults += ok ? 0 : 1;
}

template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const recal::error& e) {
    return e.what();
  }
  return "";
}

void check_without_card() {
  const std::string made = message_of([] { const recal::cuda::Stream stream; });
  std::printf("constructing: %s\n", made.c_str());
  expect(made.starts_with("recal: looking for a CUDA device: cudaError"), "a stream without a card names the error");
  const std::string allocated = message_of([] { recal::cuda::DeviceBuffer<float> b(recal::cuda::Stream{}, 10); });
  expect(allocated == made, "so does memory");
  expect(!recal::cuda::available(), "available() stays false after an error");
  const std::string other =
      message_of([] { recal::cuda::check_runtime(cudaErrorInvalidConfiguration, "launching ", 3, " blocks"); });
  expect(other == "recal: launching 3 blocks: cudaErrorInvalidConfiguration: invalid configuration argument",
         "errors say what was being done");
}

void check_with_card() {
  const recal::cuda::Stream stream;
  expect(stream.multiprocessors() >= 1, "a device has a multiprocessor");
  std::vector<float> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), -500.0F);
  recal::cuda::DeviceBuffer<float> there;
  upload(stream, std::span<const float>(numbers), there);
  const recal::TensorView<float> x(there.data(), {1, 1, 10, 100});
  recal::cuda::relu(stream, x, x);
  const auto back = download(stream, there);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = numbers[i] > 0 ? numbers[i] : 0.0F;
  expect(std::equal(numbers.begin(), numbers.end(), back.begin()), "a kernel runs and its results come back");
  const std::string refused = message_of([&] { stream.launch({1, 4096}, recal::cuda::detail::ArchetypeKernel{}); });
  std::printf("launching: %s\n", refused.c_str());
  expect(refused.find("ArchetypeKernel: cudaError") != std::string::npos, "a launch that is refused names the kernel");
}

}  // namespace

int main() {
  const bool card = recal::cuda::available();
  std::printf("card: %s\n", card ? "yes" : "no");
  if (card)
    check_with_card();
  else
    check_without_card();
  return faults;
}
