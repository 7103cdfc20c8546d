// SPDX-License-Identifier: Apache-2.0
// Two pieces of a parallel_for write one element.

#include <recal/core/parallel.hpp>

int main() {
  recal::set_thread_count(2);
  double sum = 0;
  recal::parallel_for(1 << 20, [&sum](recal::Index i) { sum += static_cast<double>(i); });
  return sum > 0 ? 0 : 1;
}
