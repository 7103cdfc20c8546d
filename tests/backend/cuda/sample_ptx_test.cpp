// SPDX-License-Identifier: Apache-2.0
// A few kernels of no use but to the interpreter: compiled by nvcc, executed, and compared with plain C++.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include "tests/backend/cuda/ptx/sample_kernels.hpp"
#include "tests/support/fill.hpp"
#include "tests/support/ptx/machine.hpp"

using namespace recal;
using namespace recal::testing;
using namespace recal::testing::ptx;

namespace {

const PtxMachine& machine() {
  static const PtxMachine of_samples{Program::load(std::filesystem::path(RECAL_PTX_DIR) / "sample.ptx")};
  of_samples.reset_traffic();
  return of_samples;
}

/// `count` numbers in [lo, hi).
template <class T>
std::vector<T> numbers(std::size_t count, double lo, double hi) {
  std::vector<T> all(count);
  for (std::size_t i = 0; i < count; ++i) all[i] = T(static_cast<float>(lo + (hi - lo) * uniform_of("sample", i)));
  return all;
}

/// An array in the machine's memory.
template <class T>
struct Array {
  explicit Array(const PtxMachine& on, std::size_t count) : memory(on.allocate(count * sizeof(T))), size(count) {}
  Array(const PtxMachine& on, const std::vector<T>& from) : Array(on, from.size()) {
    on.copy_to_device(memory.get(), from.data(), size * sizeof(T));
  }
  [[nodiscard]] T* data() const { return static_cast<T*>(memory.get()); }
  [[nodiscard]] std::vector<T> to_host(const PtxMachine& from) const {
    std::vector<T> to(size);
    from.copy_to_host(to.data(), memory.get(), size * sizeof(T));
    return to;
  }

  std::shared_ptr<void> memory;
  std::size_t size;
};

}  // namespace

TEST_CASE("block sums through shuffles and shared memory") {
  const PtxMachine& on = machine();
  constexpr int each = 1000;
  const auto given = numbers<float>(3 * each, -1, 2);
  const Array<float> in(on, given);
  const Array<double> out(on, 3);
  on.launch({3, 96, 3 * sizeof(double)}, sample::BlockSum{in.data(), out.data(), each});
  const auto sums = out.to_host(on);
  for (std::size_t block = 0; block < 3; ++block) {
    double expected = 0;
    for (std::size_t i = 0; i < each; ++i) expected += static_cast<double>(given[block * each + i]);
    CHECK(sums[block] == doctest::Approx(expected).epsilon(1e-14));
  }
  CHECK(on.traffic().bytes_loaded == 3 * each * sizeof(float));
  CHECK(on.traffic().bytes_stored == 3 * sizeof(double));
}

TEST_CASE_TEMPLATE("scaling 16 bytes at a time, to the bit", T, float, double, half, bfloat16) {
  const PtxMachine& on = machine();
  constexpr int lanes = 16 / sizeof(T);
  constexpr std::size_t count = 1003;
  const auto given = numbers<T>(count, -70000, 70000);
  const Array<T> in(on, given);
  const Array<T> out(on, count);
  const sample::Scale<T> kernel{in.data(), out.data(), static_cast<Index>(count), 0.37F};
  on.launch({2, 64, 0}, kernel);
  const auto scaled = out.to_host(on);
  int wrong = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const T expected(static_cast<float>(given[i]) * 0.37F);
    wrong += std::memcmp(&scaled[i], &expected, sizeof(T)) != 0;
  }
  CHECK(wrong == 0);
  CHECK(on.traffic().bytes_loaded == count * sizeof(T));
  CHECK(on.traffic().bytes_stored == count * sizeof(T));
  const auto& entry = on.program().entry<sample::Scale<T>>();
  CHECK_FALSE(entry.local);
  if constexpr (!std::is_same_v<T, double>) {  // two doubles are moved as ld.v2.f64, which is 16 bytes too
    CHECK(entry.loads_128 >= 1);
    CHECK(entry.stores_128 >= 1);
  }
  CHECK(on.traffic().loads_128 == count / lanes);
  CHECK(on.traffic().stores_128 == count / lanes);
}

TEST_CASE_TEMPLATE("exp, sqrt, tanh and division", T, float, double) {
  const PtxMachine& on = machine();
  const auto given = numbers<T>(500, -20, 20);
  const Array<T> in(on, given);
  const Array<T> out(on, given.size());
  on.launch({4, 128, 0}, sample::Transcendental<T>{in.data(), out.data(), 500});
  const auto found = out.to_host(on);
  double error = 0;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto x = static_cast<double>(given[i]);
    const double expected = std::exp(x) / std::sqrt(1 + x * x) + std::tanh(x) + 1 / (1 + std::exp(-x));
    error = std::max(error, std::abs(static_cast<double>(found[i]) - expected) / std::max(1.0, std::abs(expected)));
  }
  CHECK(error <= (std::is_same_v<T, double> ? 1e-15 : 1e-6));
}

TEST_CASE("integer division in 32 and 64 bits") {
  const PtxMachine& on = machine();
  constexpr int size = 300;
  for (const int divisor : {1, 7, -13}) {
    const Array<std::int64_t> out(on, size);
    const std::int64_t wide = 123456789012345;
    on.launch({10, 32, 0}, sample::Divide{out.data(), wide, divisor, size});
    const auto found = out.to_host(on);
    int wrong = 0;
    for (int i = 0; i < size; ++i) {
      const std::int64_t large = (i - 7) * wide;
      wrong += found[static_cast<std::size_t>(i)] !=
               i / divisor * 3 + i % divisor + large / (divisor * std::int64_t{65537}) + large % (wide + 1) + i / 7;
    }
    CHECK(wrong == 0);
  }
}
