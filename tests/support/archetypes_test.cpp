// SPDX-License-Identifier: Apache-2.0
#include <tests/support/archetypes.hpp>

#include <numeric>

#include <doctest/doctest.h>

#include <recal/recalibrate.hpp>

using namespace recal::testing;
using recal::Index;

static_assert(recal::StylePool<LeastPool> && recal::Integrate<LeastIntegrate> && recal::Gate<LeastGate>);
static_assert(recal::Backend<LeastBackend> && recal::Team<LeastBackend::Team>);
static_assert(recal::NchwTensor<LeastTensor> && recal::NchwTensor<const LeastTensor>);

namespace {

using Least = recal::Recalibrate<LeastPool, LeastIntegrate, LeastGate>;

/// Runs the module on `channels` channels of 2 x 2: few run phase by phase, many group by group.
template <class B>
void check_module(const B& backend, Index channels) {
  Least module(channels, LeastPool(0), LeastIntegrate(0.5), LeastGate(0));
  LeastTensor x(2, channels, 2, 2);
  std::iota(x.numbers.begin(), x.numbers.end(), 1.0F);
  LeastTensor dy(2, channels, 2, 2);
  for (std::size_t i = 0; i < dy.numbers.size(); ++i) dy.numbers[i] = i % 3 == 0 ? -1.0F : 2.0F;
  LeastTensor y(2, channels, 2, 2);
  LeastTensor dx(2, channels, 2, 2);
  Least::Tape tape;
  module.forward(backend, x, y, tape);
  module.backward(backend, x, dy, dx, tape);
  LeastTensor inferred(2, channels, 2, 2);
  module.infer(backend, x, inferred);

  int wrong = 0;
  for (std::size_t first = 0; first < x.numbers.size(); first += 4) {
    float sum = 0;
    float dot = 0;
    for (std::size_t i = first; i < first + 4; ++i) {
      sum += x.numbers[i];
      dot += x.numbers[i] * dy.numbers[i];
    }
    for (std::size_t i = first; i < first + 4; ++i) {
      wrong += y.numbers[i] != x.numbers[i] * sum / 2;
      wrong += dx.numbers[i] != dy.numbers[i] * sum / 2 + dot / 2;
    }
  }
  CHECK(wrong == 0);
  CHECK(inferred.numbers == y.numbers);
  CHECK(recal::parameter_count(module) == 0);
}

}  // namespace

TEST_CASE("Recalibrate asks of its policies, tensors and backend no more than their concepts do") {
  for (const Index channels : {1, 3, 8, 20}) {
    check_module(LeastBackend(0), channels);
    check_module(recal::Cpu{}, channels);
  }
}
