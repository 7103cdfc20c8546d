// SPDX-License-Identifier: Apache-2.0
// A libFuzzer target: give it a folder of safetensors files as a start, tests/golden for example.
#include <cstddef>
#include <cstdint>
#include <span>

#include <tests/fuzz/exercise_safetensors.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  recal::testing::exercise_safetensors(std::as_bytes(std::span(data, size)));
  return 0;
}
