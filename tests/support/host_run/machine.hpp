// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include <recal/backend/cuda/machine.hpp>

#include "tests/support/host_run/context.hpp"

namespace recal::testing {

/// Runs the kernels of a cuda::Machine on the processor, and throws kernel_fault out of launch() where one breaks a
/// rule, in whatever order its threads run. Copies share all state. For one thread at a time.
class HostMachine {
 public:
  explicit HostMachine(const Schedule& schedule = Schedule::forward(), Checks checks = Checks::on)
      : state_(std::make_shared<Everything>(Everything{schedule, checks})) {}

  template <class Kernel>
  void launch(const cuda::Launch& launch, const Kernel& kernel) const {
    static_assert(std::is_trivially_copyable_v<Kernel>, "recal: a kernel must be trivially copyable");
    static_assert(sizeof(Kernel) <= 4096, "recal: CUDA takes kernels of up to 4 KiB");
    const auto call = [](const void* self, Block& block, int thread) {
      (*static_cast<const Kernel*>(self))(HostContext(block, thread));
    };
    run(launch, demangled(typeid(Kernel)), {&kernel, call});
  }

  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes) const {
    const Allocation& made = state_->memory.add(bytes);
    return {made.device, [state = state_, begin = made.begin](void*) { state->memory.remove(begin); }};
  }

  void copy_to_device(void* to, const void* from, std::size_t bytes) const {
    if (bytes > 0) std::memcpy(state_->memory.need(to, bytes, "copy_to_device"), from, bytes);
  }
  void copy_to_host(void* to, const void* from, std::size_t bytes) const {
    if (bytes > 0) std::memcpy(to, state_->memory.need(from, bytes, "copy_to_host"), bytes);
  }
  void clear(void* to, std::size_t bytes) const {
    if (bytes > 0) std::memset(state_->memory.need(to, bytes, "clear"), 0, bytes);
  }

  [[nodiscard]] int multiprocessors() const { return 4; }

  /// Of all launches, and of the last one.
  [[nodiscard]] const Traffic& traffic() const { return state_->traffic; }
  [[nodiscard]] const Traffic& last_launch() const { return state_->last; }

 private:
  struct Everything {
    Schedule schedule;
    Checks checks;
    DeviceMemory memory{};
    SharedMemory shared{};
    Clock clock{};
    Traffic traffic{};
    Traffic last{};
  };

  void run(const cuda::Launch& launch, const std::string& kernel, const Body& body) const {
    check_launch(launch, kernel);
    Everything& all = *state_;
    LaunchRun shape{launch, kernel, body, all.schedule, all.checks, all.memory, all.shared, all.clock};
    all.clock.begin_launch();
    std::vector<Index> order(static_cast<std::size_t>(launch.blocks));
    all.schedule.arrange(order);
    Block block(shape);
    for (const Index index : order) block.run_block(index);
    shape.traffic.launches = 1;
    all.last = shape.traffic;
    all.traffic += shape.traffic;
  }

  static void check_launch(const cuda::Launch& launch, const std::string& kernel) {
    constexpr Index most_blocks = (Index{1} << 31U) - 1;
    constexpr int most_shared = 48 << 10U;
    check(launch.blocks >= 0 && launch.blocks <= most_blocks, "kernel ", kernel, ": ", launch.blocks, " blocks");
    check(launch.threads > 0 && launch.threads <= 1024 && launch.threads % cuda::warp_lanes == 0, "kernel ", kernel,
          ": ", launch.threads, " threads, not a multiple of 32 up to 1024");
    check(launch.shared_bytes >= 0 && launch.shared_bytes <= most_shared, "kernel ", kernel, ": ", launch.shared_bytes,
          " bytes of shared memory, of ", most_shared);
  }

  std::shared_ptr<Everything> state_;
};

static_assert(cuda::Machine<HostMachine>);

}  // namespace recal::testing
