// SPDX-License-Identifier: Apache-2.0
#include "evaluate.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <recal/train/cross_entropy.hpp>

namespace animals {

namespace {

Index largest_logit(const Logits& logits, Index n) {
  Index best = 0;
  for (Index c = 1; c < logits.shape.c; ++c)
    if (logits(n, c, 0, 0) > logits(n, best, 0, 0)) best = c;
  return best;
}

double ratio(Index part, Index whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Index Evaluation::images_of(Index truth) const {
  Index sum = 0;
  for (Index c = 0; c < classes; ++c) sum += count(truth, c);
  return sum;
}

Index Evaluation::predicted_as(Index label) const {
  Index sum = 0;
  for (Index c = 0; c < classes; ++c) sum += count(c, label);
  return sum;
}

Index Evaluation::correct() const {
  Index sum = 0;
  for (Index c = 0; c < classes; ++c) sum += count(c, c);
  return sum;
}

double Evaluation::accuracy() const { return ratio(correct(), images); }

double Evaluation::accuracy_of(Index truth) const { return ratio(count(truth, truth), images_of(truth)); }

std::optional<Evaluation> evaluate(Network& network, ImageStore& store, const EvaluateOptions& options) {
  using Clock = std::chrono::steady_clock;
  Evaluation result;
  result.classes = options.classes;
  result.confusion.assign(static_cast<std::size_t>(options.classes * options.classes), 0);
  const PassPlan plan{.size = options.size, .batch = options.batch, .training = false};
  Loader loader(store, plan, {.threads = options.threads});
  FloatTensor gradient;
  double loss_sum = 0.0;
  while (auto batch = loader.next()) {
    if (options.stop != nullptr && options.stop->load()) return std::nullopt;
    std::move(batch->broken.begin(), batch->broken.end(), std::back_inserter(result.broken));
    const auto n = static_cast<Index>(batch->labels.size());
    if (n == 0) continue;
    const auto begin = Clock::now();
    const Logits logits = network.infer(batch->images);
    result.network_seconds += std::chrono::duration<double>(Clock::now() - begin).count();
    for (Index i = 0; i < n; ++i)
      ++result.confusion[static_cast<std::size_t>(batch->labels[static_cast<std::size_t>(i)] * options.classes +
                                                  largest_logit(logits, i))];
    gradient.resize(logits.shape);
    loss_sum += static_cast<double>(n) * recal::train::cross_entropy(logits, batch->labels, gradient);
    result.images += n;
    if (options.report) options.report(result.images, store.size());
  }
  if (result.images > 0) result.loss = loss_sum / static_cast<double>(result.images);
  return result;
}

}  // namespace animals
