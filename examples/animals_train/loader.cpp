// SPDX-License-Identifier: Apache-2.0
#include "loader.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "decode.hpp"

namespace animals {

Index batches_in_pass(Index samples, const PassPlan& plan) noexcept {
  return plan.training ? samples / plan.batch : (samples + plan.batch - 1) / plan.batch;
}

std::vector<Index> order_of_pass(Index samples, const PassPlan& plan) {
  if (plan.training)
    return permutation(samples, Random(plan.seed, Purpose::order, {static_cast<std::uint64_t>(plan.epoch)}));
  std::vector<Index> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), Index{0});
  return order;
}

Batch make_batch(ImageStore& store, const PassPlan& plan, const std::vector<Index>& order, Index index) {
  const Index begin = index * plan.batch;
  const Index end = std::min(begin + plan.batch, static_cast<Index>(order.size()));
  const Index image_size = 3 * plan.size * plan.size;
  Batch batch;
  batch.images.resize({end - begin, 3, plan.size, plan.size});
  for (Index i = begin; i < end; ++i) {
    const Index sample = order[static_cast<std::size_t>(i)];
    std::shared_ptr<const Image> image;
    try {
      image = store.get(sample);
    } catch (const failure& problem) {
      batch.broken.push_back({store.sample(sample).file, problem.what()});
      continue;
    }
    const Random random(plan.seed, Purpose::augment,
                        {static_cast<std::uint64_t>(plan.epoch), static_cast<std::uint64_t>(sample)});
    const Crop crop = plan.training ? random_crop(image->width, image->height, random, plan.augment)
                                    : centre_crop(image->width, image->height);
    to_planes(*image, crop, plan.size, batch.images.data() + static_cast<Index>(batch.samples.size()) * image_size);
    batch.samples.push_back(sample);
    batch.labels.push_back(store.sample(sample).label);
  }
  batch.images.resize({static_cast<Index>(batch.samples.size()), 3, plan.size, plan.size});
  return batch;
}

Loader::Loader(ImageStore& store, const PassPlan& plan, const Options& options)
    : store_(store),
      plan_(plan),
      order_(order_of_pass(store.size(), plan)),
      batches_(batches_in_pass(store.size(), plan)),
      slots_(static_cast<std::size_t>(std::max<Index>(1, options.ahead))),
      to_make_(options.first),
      to_hand_out_(options.first) {
  for (int i = 0; i < std::max(1, options.threads); ++i) threads_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] {
      return stopping_ || to_make_ >= batches_ || to_make_ < to_hand_out_ + static_cast<Index>(slots_.size());
    });
    if (stopping_ || to_make_ >= batches_) return;
    const Index mine = to_make_++;
    lock.unlock();
    Slot made;
    made.ready = true;
    try {
      made.batch = make_batch(store_, plan_, order_, mine);
    } catch (...) {
      made.fault = std::current_exception();
    }
    lock.lock();
    slot(mine) = std::move(made);
    changed_.notify_all();
  }
}

std::optional<Batch> Loader::next() {
  std::unique_lock lock(mutex_);
  if (to_hand_out_ >= batches_) return std::nullopt;
  Slot& wanted = slot(to_hand_out_);
  changed_.wait(lock, [&wanted] { return wanted.ready; });
  Slot taken = std::exchange(wanted, Slot{});
  ++to_hand_out_;
  changed_.notify_all();
  if (taken.fault) std::rethrow_exception(taken.fault);
  return std::move(taken.batch);
}

}  // namespace animals
