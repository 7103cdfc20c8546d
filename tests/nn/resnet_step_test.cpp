// SPDX-License-Identifier: Apache-2.0
// A training step plans its memory once: from the second step of a shape on nothing is allocated and no page is touched
// for the first time. Replaces operator new, of the whole executable.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/zero_gradients.hpp>
#include <recal/nn/resnet.hpp>
#include <recal/se.hpp>
#include <recal/srm.hpp>
#include <recal/train/cross_entropy.hpp>
#include <recal/train/sgd.hpp>

#include "tests/support/random_tensor.hpp"

namespace {

std::atomic<long> allocations{0};

void* allocate(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {

using recal::Index;
using recal::Tensor;

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

/// What a step took.
struct Taken {
  long allocations = 0;
  long page_faults = 0;
};

/// When the optimiser steps.
enum class Stepping { afterwards, in_backward };

/// Steps of a small network with Module in every block, forward, loss, backward and optimiser.
template <class Module>
std::vector<Taken> steps(std::size_t count, Stepping stepping) {
  recal::nn::ResNet<float, Module> net({.layout = {recal::nn::BlockKind::bottleneck, {1, 1, 1, 1}}, .classes = 4});
  typename decltype(net)::Tape tape;
  recal::train::Sgd<float> sgd(net, {.momentum = 0.9});
  if (stepping == Stepping::in_backward) recal::release_gradients(net);
  const auto images = recal::testing::random_tensor<float>("x", {4, 3, 64, 64});
  const std::vector<int> labels{0, 1, 2, 3};
  Tensor<float> dlogits({4, 4, 1, 1});
  std::vector<Taken> taken(count);
  for (Taken& step : taken) {
    const long allocated = allocations;
    const long touched = page_faults();
    const auto logits = net.forward(recal::Cpu{}, images, tape);
    recal::train::cross_entropy(logits, labels, dlogits);
    if (stepping == Stepping::in_backward) {
      net.backward(recal::Cpu{}, images, dlogits, tape, sgd.in_backward(net, 0.01));
    } else {
      recal::zero_gradients(net);
      net.backward(recal::Cpu{}, images, dlogits, tape);
      sgd.step(net, 0.01);
    }
    step = {allocations - allocated, page_faults() - touched};
  }
  return taken;
}

template <class Module>
void check_steady(Stepping stepping) {
  const int before = recal::thread_count();
  recal::set_thread_count(1);
  const std::vector<Taken> alone = steps<Module>(4, stepping);
  CHECK(alone[0].allocations > 0);
  for (std::size_t i = 1; i < alone.size(); ++i) CHECK(alone[i].allocations == 0);
  // The system may take a page away at any time, so some step must touch none, not every one.
  CHECK(std::any_of(alone.begin() + 1, alone.end(), [](const Taken& step) { return step.page_faults == 0; }));

  // Which thread first meets a task is chance; each keeps the memory of those that it met.
  recal::set_thread_count(2);
  const std::vector<Taken> together = steps<Module>(12, stepping);
  CHECK(std::any_of(together.begin(), together.end(),
                    [](const Taken& step) { return step.allocations == 0 && step.page_faults == 0; }));
  recal::set_thread_count(before);
}

}  // namespace

TEST_CASE("from its second step on a network with SRM allocates nothing") {
  check_steady<recal::Srm<float>>(Stepping::afterwards);
  check_steady<recal::Srm<float>>(Stepping::in_backward);
}

TEST_CASE("from its second step on a network with SE allocates nothing") {
  check_steady<recal::Se<float>>(Stepping::in_backward);
}
