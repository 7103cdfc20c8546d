// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <iosfwd>
#include <string_view>

#include "evaluate.hpp"
#include "run_config.hpp"
#include "run_log.hpp"
#include "run_state.hpp"
#include "split.hpp"

namespace animals {

/// The files in a run's folder.
namespace run_files {
inline constexpr std::string_view config = "config.json";
inline constexpr std::string_view last = "last.safetensors";  ///< weights, momenta, state: to go on from
inline constexpr std::string_view best = "best.safetensors";  ///< weights with the best validation accuracy
}  // namespace run_files

struct TrainOptions {
  std::filesystem::path out;     ///< the run's folder, which exists
  Index checkpoint_every = 200;  ///< steps; 0: only at the end of each epoch
  Index limit_steps = 0;         ///< stop and save after so many steps in all; 0: no limit
  int loader_threads = 1;
  Index cache_bytes = Index{2} << 30U;
  bool strict = false;                      ///< a broken picture ends the run
  const std::atomic<bool>* stop = nullptr;  ///< looked at after each step
};

enum class TrainOutcome { finished, stopped, limit_reached };

/// Trains a network as a configuration says, with logs and checkpoints, from wherever it stands. A run that is stopped
/// or killed and gone on with computes the same as one in a single go, bit for bit.
class Trainer {
 public:
  /// `state` is that of the network; the logs in the folder are cut back to it.
  Trainer(const RunConfig& config, const Split& split, Network& network, const RunState& state,
          const TrainOptions& options);

  /// `out` gets a line an epoch and what else the user should know.
  TrainOutcome run(std::ostream& out);

  [[nodiscard]] const RunState& state() const noexcept { return state_; }

 private:
  [[nodiscard]] PassPlan plan() const;
  [[nodiscard]] bool stopping() const { return options_.stop != nullptr && options_.stop->load(); }
  [[nodiscard]] bool at_limit() const { return options_.limit_steps > 0 && state_.step >= options_.limit_steps; }
  [[nodiscard]] TrainOutcome outcome() const {
    return stopping() ? TrainOutcome::stopped : TrainOutcome::limit_reached;
  }
  [[nodiscard]] std::string progress_line(double recent_loss) const;

  /// Whether the epoch was trained to its end.
  bool train_epoch(std::ostream& out);
  void train_step(const Batch& batch);
  /// Evaluates, logs and begins the next epoch; false where it was stopped.
  bool finish_epoch(std::ostream& out);
  void name_broken(const std::vector<Skipped>& broken, std::ostream& out);
  void save_last() const;

  const RunConfig& config_;
  Network& network_;
  RunState state_;
  TrainOptions options_;
  ImageStore train_;
  ImageStore val_;
  Index steps_per_epoch_;
  std::function<double(Index)> schedule_;
  RunLog log_;
  FloatTensor gradient_;
  double recent_loss_ = 0;
  Index images_since_start_ = 0;
  double seconds_since_start_ = 0;
};

}  // namespace animals
