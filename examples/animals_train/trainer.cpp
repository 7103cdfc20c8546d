// SPDX-License-Identifier: Apache-2.0
#include "trainer.hpp"

#include <chrono>
#include <cmath>
#include <ostream>

#include <recal/train/cross_entropy.hpp>

#include "progress.hpp"
#include "text.hpp"

namespace animals {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double per(double part, double whole) { return whole > 0 ? part / whole : 0.0; }

ImageStore::Options store_options(const RunConfig& config, Index bytes) {
  return {.short_side = stored_side(config), .most_bytes = bytes};
}

}  // namespace

Trainer::Trainer(const RunConfig& config, const Split& split, Network& network, const RunState& state,
                 const TrainOptions& options)
    : config_(config),
      network_(network),
      state_(state),
      options_(options),
      train_(split.root, split.train, store_options(config, options.cache_bytes / 5 * 4)),
      val_(split.root, split.val, store_options(config, options.cache_bytes / 5)),
      steps_per_epoch_(batches_in_pass(train_.size(), plan())),
      schedule_(make_schedule(config, std::max<Index>(1, steps_per_epoch_))),
      log_(options.out, state.step, state.epoch) {
  if (steps_per_epoch_ < 1)
    fail("there are ", train_.size(), " training pictures, fewer than one batch of ", config.batch);
}

PassPlan Trainer::plan() const {
  return {.size = config_.size,
          .batch = config_.batch,
          .training = true,
          .seed = config_.seed,
          .epoch = state_.epoch,
          .augment = {.smallest = config_.smallest_crop}};
}

TrainOutcome Trainer::run(std::ostream& out) {
  while (state_.epoch < config_.epochs) {
    if (at_limit()) return TrainOutcome::limit_reached;
    if (!train_epoch(out) || !finish_epoch(out)) {
      save_last();
      return outcome();
    }
    save_last();
  }
  return TrainOutcome::finished;
}

bool Trainer::train_epoch(std::ostream& out) {
  Progress progress;
  Loader loader(train_, plan(), {.threads = options_.loader_threads, .first = state_.position});
  while (true) {
    const auto begin = Clock::now();
    auto batch = loader.next();
    if (!batch) return true;
    if (!batch->broken.empty()) {
      progress.clear();
      name_broken(batch->broken, out);
    }
    train_step(*batch);
    const double seconds = seconds_since(begin);
    state_.seconds += seconds;
    seconds_since_start_ += seconds;
    images_since_start_ += static_cast<Index>(batch->labels.size());
    if (progress.due()) progress.show(progress_line(recent_loss_));
    const bool leave = stopping() || (at_limit() && state_.position < steps_per_epoch_);
    if (leave) return false;
    if (options_.checkpoint_every > 0 && state_.step % options_.checkpoint_every == 0) save_last();
  }
}

void Trainer::train_step(const Batch& batch) {
  const auto images = static_cast<Index>(batch.labels.size());
  if (images < 2)
    fail("step ", state_.step + 1, ": only ", images, " of ", config_.batch, " pictures could be decoded; is ",
         "the data folder in place?");
  const double rate = schedule_(state_.step);
  const Logits logits = network_.forward(batch.images);
  gradient_.resize(logits.shape);
  const double loss = recal::train::cross_entropy(logits, batch.labels, gradient_, config_.smoothing);
  if (!std::isfinite(loss))
    fail("the loss is ", loss, " at step ", state_.step + 1, " with learning rate ", rate,
         ": the run diverged; try a lower --lr or a longer --warmup");
  const Index correct = recal::train::correct_in_top(logits, batch.labels);
  network_.learn(batch.images, gradient_, rate);

  ++state_.step;
  ++state_.position;
  state_.loss_sum += loss * static_cast<double>(images);
  state_.correct += correct;
  state_.seen += images;
  recent_loss_ = recent_loss_ == 0 ? loss : 0.95 * recent_loss_ + 0.05 * loss;
  log_.add(StepRecord{state_.step, state_.epoch + 1, rate, loss, correct, images});
}

bool Trainer::finish_epoch(std::ostream& out) {
  Progress progress;
  EvaluateOptions how;
  how.classes = static_cast<Index>(config_.classes.size());
  how.size = config_.size;
  how.threads = options_.loader_threads;
  how.stop = options_.stop;
  how.report = [&](Index done, Index all) {
    if (progress.due()) progress.show(text("epoch ", state_.epoch + 1, "  evaluating ", done, "/", all));
  };
  const auto evaluation = evaluate(network_, val_, how);
  progress.clear();
  if (!evaluation) return false;
  name_broken(evaluation->broken, out);

  const auto seen = static_cast<double>(state_.seen);
  const EpochRecord record{.epoch = state_.epoch + 1,
                           .step = state_.step,
                           .lr = schedule_(state_.step - 1),
                           .train_loss = per(state_.loss_sum, seen),
                           .train_accuracy = per(static_cast<double>(state_.correct), seen),
                           .val_loss = evaluation->loss,
                           .val_accuracy = evaluation->accuracy(),
                           .seconds = state_.seconds,
                           .images_per_second = per(seen, state_.seconds)};
  log_.add(record);
  const bool best = record.val_accuracy > state_.best_accuracy;
  if (best) {
    state_.best_accuracy = record.val_accuracy;
    state_.best_epoch = record.epoch;
  }
  out << "epoch " << record.epoch << "/" << config_.epochs << "  train loss " << fixed(record.train_loss, 4) << " acc "
      << fixed(100 * record.train_accuracy, 2) << "%  val loss " << fixed(record.val_loss, 4) << " acc "
      << fixed(100 * record.val_accuracy, 2) << "%" << (best ? " (best)" : "") << "  " << duration(record.seconds)
      << "  " << fixed(record.images_per_second, 1) << " img/s" << std::endl;
  ++state_.epoch;
  state_.position = 0;
  state_.loss_sum = 0;
  state_.correct = 0;
  state_.seen = 0;
  state_.seconds = 0;
  if (best) network_.save_weights(options_.out / run_files::best, to_notes(state_));
  return true;
}

std::string Trainer::progress_line(double recent_loss) const {
  const double speed = per(static_cast<double>(images_since_start_), seconds_since_start_);
  const Index steps_left = config_.epochs * steps_per_epoch_ - state_.step;
  const double left = per(static_cast<double>(steps_left * config_.batch), speed);
  return text("epoch ", state_.epoch + 1, "/", config_.epochs, "  step ", state_.position, "/", steps_per_epoch_,
              "  loss ", fixed(recent_loss, 3), "  acc ",
              fixed(100 * per(static_cast<double>(state_.correct), static_cast<double>(state_.seen)), 1), "%  ",
              fixed(speed, 1), " img/s  ", duration(left), " left");
}

void Trainer::name_broken(const std::vector<Skipped>& broken, std::ostream& out) {
  for (const Skipped& one : broken) {
    if (options_.strict) fail(one.file, " ", one.reason);
    out << "left out: " << one.file << " " << one.reason << std::endl;
  }
}

void Trainer::save_last() const { network_.save_all(options_.out / run_files::last, to_notes(state_)); }

}  // namespace animals
