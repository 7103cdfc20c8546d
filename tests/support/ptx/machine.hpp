// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <set>
#include <utility>

#include <recal/backend/cuda/machine.hpp>
#include <recal/core/error.hpp>

#include "tests/support/ptx/memory.hpp"
#include "tests/support/ptx/program.hpp"
#include "tests/support/ptx/run.hpp"

namespace recal::testing::ptx {

/// A recal::cuda::Machine that executes kernels from their PTX. Copies share everything. Not for several threads.
class PtxMachine {
 public:
  explicit PtxMachine(Program program) : state_(std::make_shared<State>(std::move(program))) {}

  /// errors: no entry of the kernel's type in the program; whatever a thread does wrong
  template <class Kernel>
  void launch(const cuda::Launch& launch, const Kernel& kernel) const {
    check(launch.threads % cuda::warp_lanes == 0, "a launch of ", launch.threads, " threads, not a multiple of 32");
    const Entry& entry = state_->program.template entry<Kernel>();
    if (launch.blocks == 0) return;
    run(entry, launch, &kernel, sizeof(Kernel), state_->memory);
    check(red_zones_are_whole(), entry.name, " wrote outside of an allocation");
  }

  /// ensures: every float and double in it is NaN
  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes) const {
    auto* whole = static_cast<std::byte*>(::operator new (bytes + 2 * red_zone, std::align_val_t{red_zone}));
    std::memset(whole, red, bytes + 2 * red_zone);
    std::byte* first = whole + red_zone;
    std::memset(first, 0xff, bytes);
    state_->memory.add(first, bytes);
    state_->allocations.insert({first, bytes});
    return {first, [state = state_, whole, bytes](void* pointer) {
              state->memory.remove(pointer);
              state->allocations.erase({static_cast<std::byte*>(pointer), bytes});
              ::operator delete (whole, std::align_val_t{red_zone});
            }};
  }

  void copy_to_device(void* to, const void* from, std::size_t bytes) const {
    check_range(to, bytes);
    std::memcpy(to, from, bytes);
  }
  void copy_to_host(void* to, const void* from, std::size_t bytes) const {
    check_range(from, bytes);
    std::memcpy(to, from, bytes);
  }
  void clear(void* to, std::size_t bytes) const {
    check_range(to, bytes);
    std::memset(to, 0, bytes);
  }
  [[nodiscard]] int multiprocessors() const { return 4; }

  /// What launches moved since reset_traffic(); copies do not count.
  [[nodiscard]] const Traffic& traffic() const { return state_->memory.traffic; }
  void reset_traffic() const { state_->memory.traffic = {}; }
  [[nodiscard]] const Program& program() const { return state_->program; }

 private:
  static constexpr std::size_t red_zone = 256;
  static constexpr int red = 0xa5;

  struct State {
    explicit State(Program given) : program(std::move(given)) { program.add_tables_to(memory); }
    Program program;
    Memory memory;
    std::set<std::pair<std::byte*, std::size_t>> allocations;
  };

  void check_range(const void* first, std::size_t bytes) const {
    check(state_->memory.holds(Memory::address(first), bytes, false), bytes, " bytes that are not in device memory");
  }

  [[nodiscard]] bool red_zones_are_whole() const {
    for (const auto& [first, bytes] : state_->allocations)
      for (std::size_t k = 0; k < red_zone; ++k)
        if (first[-1 - static_cast<std::ptrdiff_t>(k)] != std::byte{red} || first[bytes + k] != std::byte{red})
          return false;
    return true;
  }

  std::shared_ptr<State> state_;
};

static_assert(cuda::Machine<PtxMachine>);

}  // namespace recal::testing::ptx
