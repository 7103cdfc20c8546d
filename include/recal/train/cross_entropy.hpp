// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <ranges>
#include <type_traits>
#include <utility>

#include <recal/core/error.hpp>
#include <recal/core/tensor.hpp>

namespace recal::train {

/// A sequence of class numbers in memory: std::vector<int>, std::span<const recal::Index>, ...
template <class Labels>
concept LabelRange = std::ranges::contiguous_range<Labels> && std::ranges::sized_range<Labels> &&
    std::integral<std::ranges::range_value_t<Labels>>;

namespace detail {

/// Throws unless `logits` is (N, C, 1, 1) with one label in [0, C) for every sample.
template <LabelRange Labels>
void check_labels(const Shape& logits, const Labels& labels) {
  check(logits.h == 1 && logits.w == 1, "logits have shape ", logits, ", expected (N, classes, 1, 1)");
  const auto count = static_cast<Index>(std::ranges::size(labels));
  check(count == logits.n, count, " labels for ", logits.n, " samples");
  for (const auto label : labels)
    check(std::cmp_greater_equal(label, 0) && std::cmp_less(label, logits.c), "label ", label, " is not one of ",
          logits.c, " classes");
}

}  // namespace detail

/// Mean softmax cross-entropy against labels smoothed by s:
///   q[n,c] = (1 - s) [c = label[n]] + s / C,   p = softmax over C
///   loss = -1/N sum_n sum_c q[n,c] log p[n,c]
///   dlogits[n,c] = (p[n,c] - q[n,c]) / N        (assigned; may alias logits)
/// logits, dlogits (N, C, 1, 1). Stable for any finite logits; computed in double. An empty batch has loss 0.
/// errors: wrong shapes, a label outside [0, C), smoothing outside [0, 1]
/// Source: Szegedy et al. 2016 (label smoothing), with the smoothed mass spread over all C classes.
template <NchwTensor Logits, LabelRange Labels, class Gradient>
double cross_entropy(const Logits& logits, const Labels& labels, Gradient&& dlogits, double smoothing = 0.0) {
  const auto x = view_of(logits);
  const auto dx = view_of(dlogits);
  using T = scalar_t<std::remove_reference_t<Gradient>>;
  detail::check_labels(x.shape, labels);
  check_shape("gradient of the logits", dx.shape, x.shape);
  check(smoothing >= 0.0 && smoothing <= 1.0, "label smoothing ", smoothing, " is not in [0, 1]");

  const auto classes = static_cast<double>(x.shape.c);
  const auto samples = static_cast<double>(x.shape.n);
  const auto* label = std::ranges::data(labels);
  double total = 0.0;
  for (Index n = 0; n < x.shape.n; ++n) {
    const auto target = static_cast<Index>(label[n]);
    double largest = static_cast<double>(*x.plane(n, 0));
    for (Index c = 1; c < x.shape.c; ++c) largest = std::max(largest, static_cast<double>(*x.plane(n, c)));
    double sum = 0.0;
    double plain = 0.0;
    for (Index c = 0; c < x.shape.c; ++c) {
      const double shifted = static_cast<double>(*x.plane(n, c)) - largest;
      sum += std::exp(shifted);
      plain += shifted;
    }
    const double log_sum = std::log(sum);
    const double own = static_cast<double>(*x.plane(n, target)) - largest;
    total += log_sum - (1.0 - smoothing) * own - smoothing / classes * plain;
    for (Index c = 0; c < x.shape.c; ++c) {
      const double p = std::exp(static_cast<double>(*x.plane(n, c)) - largest - log_sum);
      const double q = smoothing / classes + (c == target ? 1.0 - smoothing : 0.0);
      *dx.plane(n, c) = static_cast<T>((p - q) / samples);
    }
  }
  return x.shape.n == 0 ? 0.0 : total / samples;
}

/// How many samples have their label among the k largest logits. A tie counts against the label unless it comes
/// first; a NaN logit at the label never counts.
/// errors: as cross_entropy; k < 1
template <NchwTensor Logits, LabelRange Labels>
[[nodiscard]] Index correct_in_top(const Logits& logits, const Labels& labels, Index k = 1) {
  const auto x = view_of(logits);
  detail::check_labels(x.shape, labels);
  check(k >= 1, "top ", k, " is not a number of classes, expected at least 1");
  const auto* label = std::ranges::data(labels);
  Index correct = 0;
  for (Index n = 0; n < x.shape.n; ++n) {
    const auto target = static_cast<Index>(label[n]);
    const auto own = static_cast<double>(*x.plane(n, target));
    Index before = 0;
    for (Index c = 0; c < x.shape.c; ++c) {
      const auto other = static_cast<double>(*x.plane(n, c));
      if (c != target && (!(other <= own) || (other == own && c < target))) ++before;
    }
    if (!std::isnan(own) && before < k) ++correct;
  }
  return correct;
}

}  // namespace recal::train
