// SPDX-License-Identifier: Apache-2.0
// Two pieces of a parallel_for write one element. They wait for each other first, with atomics that order nothing, so
// that two threads write it even where the machine is slow to start the second.

#include <atomic>
#include <chrono>
#include <thread>

#include <recal/core/parallel.hpp>

int main() {
  recal::set_thread_count(2);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::atomic<int> waiting{0};
  double sum = 0;
  recal::parallel_for(2, [&](recal::Index i) {
    waiting.fetch_add(1, std::memory_order_relaxed);
    while (waiting.load(std::memory_order_relaxed) < 2 && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    sum += static_cast<double>(i);
  });
  return sum > 0 ? 0 : 1;
}
