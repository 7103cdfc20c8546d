// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <exception>
#include <optional>
#include <string>
#include <thread>

#include <recal/core/tensor.hpp>

#include "augment.hpp"
#include "image_store.hpp"

namespace animals {

/// Samples ready for a network.
struct Batch {
  recal::Tensor<float> images;  ///< (N, 3, size, size), normalised
  std::vector<Index> labels;    ///< N
  std::vector<Index> samples;   ///< N, places in the store
  std::vector<Skipped> broken;  ///< what was meant to be in the batch and could not be decoded
};

/// What a pass over the samples gives, batch by batch; everything is a function of it.
struct PassPlan {
  Index size = 64;  ///< of the network's input
  Index batch = 32;
  bool training = true;  ///< random order and augmentation, a last partial batch dropped; else file order, middle
                         ///< crops, all samples
  std::uint64_t seed = 0;
  Index epoch = 0;
  AugmentOptions augment = {};
};

/// The number of batches in a pass over `samples`.
[[nodiscard]] Index batches_in_pass(Index samples, const PassPlan& plan) noexcept;

/// Batch number `index` of the pass, made on the calling thread.
[[nodiscard]] Batch make_batch(ImageStore& store, const PassPlan& plan, const std::vector<Index>& order, Index index);

/// The order of the samples in a pass.
[[nodiscard]] std::vector<Index> order_of_pass(Index samples, const PassPlan& plan);

/// Makes the batches of a pass on threads of its own, ahead of need, and hands them out in order.
/// What they hold does not depend on the number of threads.
class Loader {
 public:
  struct Options {
    int threads = 1;
    Index ahead = 4;  ///< batches that may be ready or in the making
    Index first = 0;  ///< the first batch wanted
  };

  Loader(ImageStore& store, const PassPlan& plan, const Options& options);
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  ~Loader();

  /// The number of batches in the whole pass.
  [[nodiscard]] Index batches() const noexcept { return batches_; }

  /// The next batch, or nothing after the last. Rethrows what went wrong in making it.
  [[nodiscard]] std::optional<Batch> next();

 private:
  struct Slot {
    Batch batch;
    std::exception_ptr fault;
    bool ready = false;
  };

  void work();
  [[nodiscard]] Slot& slot(Index batch) { return slots_[static_cast<std::size_t>(batch) % slots_.size()]; }

  ImageStore& store_;
  PassPlan plan_;
  std::vector<Index> order_;
  Index batches_;
  std::vector<Slot> slots_;
  Index to_make_;
  Index to_hand_out_;
  bool stopping_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::thread> threads_;
};

}  // namespace animals
