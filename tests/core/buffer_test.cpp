// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <type_traits>

#include <doctest/doctest.h>

#include <recal/core/buffer.hpp>

using recal::Buffer;
using recal::Index;

namespace {

struct Counted {
  int value = 42;
};

}  // namespace

TEST_CASE_TEMPLATE("buffers start at a cache line, whatever their size", T, char, float, double) {
  for (Index count = 1; count < 200; count += 13) {
    const Buffer<T> buffer(static_cast<std::size_t>(count));
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
  }
}

TEST_CASE("a buffer made from a value holds it everywhere") {
  const Buffer<float> buffer(100, 2.5F);
  Index wrong = 0;
  for (const float value : buffer) wrong += value != 2.5F;
  CHECK(wrong == 0);
}

TEST_CASE("elements with a default of their own are given it") {
  const Buffer<Counted> buffer(3);
  CHECK(buffer[2].value == 42);
}

TEST_CASE("resize keeps what was there, and the memory where it suffices") {
  Buffer<double> buffer(100, 1.0);
  const double* memory = buffer.data();
  recal::resize(buffer, 10);
  CHECK(buffer.size() == 10);
  recal::resize(buffer, 100);
  CHECK(buffer.data() == memory);
  CHECK(buffer[9] == 1.0);
  recal::resize(buffer, 1000);
  CHECK(buffer.size() == 1000);
  CHECK(buffer[9] == 1.0);
}

TEST_CASE("at takes signed indices and keeps const") {
  Buffer<int> buffer(3, 0);
  recal::at(buffer, Index{2}) = 7;
  const Buffer<int>& fixed = buffer;
  CHECK(recal::at(fixed, Index{2}) == 7);
  static_assert(std::is_same_v<decltype(recal::at(fixed, Index{0})), const int&>);
}

TEST_CASE("copies are apart, moves take the memory over") {
  Buffer<int> from(3, 1);
  Buffer<int> copy = from;
  copy[0] = 2;
  CHECK(from[0] == 1);
  const int* memory = from.data();
  const Buffer<int> moved = std::move(from);
  CHECK(moved.data() == memory);
}

TEST_CASE("renew keeps memory that suffices, and takes what is asked for where it does not") {
  Buffer<double> buffer(100);
  const double* memory = buffer.data();
  recal::renew(buffer, 10);
  CHECK(buffer.size() == 10);
  recal::renew(buffer, 100);
  CHECK(buffer.data() == memory);
  recal::renew(buffer, 130);
  CHECK(buffer.size() == 130);
  CHECK(buffer.capacity() == 130);
}
