// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "network.hpp"
#include "run_config.hpp"

namespace animals {

/// A trained network and what it was trained as.
struct TrainedNetwork {
  RunConfig config;
  std::unique_ptr<Network> network;
  std::filesystem::path checkpoint;
};

/// Reads a run's folder. `which` is "best" or "last"; best falls back to last before the first epoch is done.
/// Throws failure where the folder holds no run or no checkpoint yet.
[[nodiscard]] TrainedNetwork open_run(const std::filesystem::path& folder, const std::string& which);

/// Keeps a second trainer out of a run's folder for as long as it lives.
class RunLock {
 public:
  /// Throws failure where another process holds the lock.
  explicit RunLock(const std::filesystem::path& folder);
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;
  ~RunLock();

 private:
  int descriptor_;
};

}  // namespace animals
