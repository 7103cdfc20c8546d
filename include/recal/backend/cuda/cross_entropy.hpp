// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <ranges>
#include <span>
#include <type_traits>
#include <vector>

#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/backend/cuda/lanes.hpp>
#include <recal/backend/cuda/plane_team.hpp>
#include <recal/train/cross_entropy.hpp>

namespace recal::cuda {

/// Each sample's cross-entropy and its share of the gradient: a warp a sample. An element of the logits is read, and
/// its gradient written, by one lane alone, so that both may be one tensor.
template <class T, class U>
struct CrossEntropyKernel {
  TensorView<const T> logits;
  TensorView<U> gradient;
  const Index* labels;
  double* losses;  // (samples)
  double smoothing;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const WarpLanes<Context> lanes{ctx};
    const Index n = ctx.block() * (ctx.threads() / warp_lanes) + ctx.thread() / warp_lanes;
    if (n >= logits.shape.n) return;  // a whole warp, of a block without barriers
    const Index label = lanes.load(labels + n);
    const double top = largest(ctx, n);
    double powers = 0;
    double plain = 0;
    double own = 0;
    for (Index c = lanes.lane(); c < logits.shape.c; c += warp_lanes) {
      const double shifted = get(lanes, n, c) - top;
      powers += std::exp(shifted);
      plain += shifted;
      if (c == label) own = shifted;
    }
    const double log_sum = std::log(lanes.sum(powers));
    plain = lanes.sum(plain);
    own = lanes.sum(own);
    const double share = smoothing / static_cast<double>(logits.shape.c);
    if (lanes.lane() == 0) lanes.store(losses + n, log_sum - (1.0 - smoothing) * own - share * plain);
    for (Index c = lanes.lane(); c < logits.shape.c; c += warp_lanes) {
      const double q = share + (c == label ? 1.0 - smoothing : 0.0);
      const double p = std::exp(get(lanes, n, c) - top - log_sum);
      lanes.store(gradient.plane(n, c), narrow<U>((p - q) / static_cast<double>(logits.shape.n)));
    }
  }

 private:
  template <class Lanes>
  [[nodiscard]] RECAL_HOST_DEVICE double get(const Lanes& lanes, Index n, Index c) const {
    return widen<double>(lanes.load(logits.plane(n, c)));
  }

  template <class Context>
  [[nodiscard]] RECAL_HOST_DEVICE double largest(const Context& ctx, Index n) const {
    const WarpLanes<Context> lanes{ctx};
    double value = -std::numeric_limits<double>::infinity();
    for (Index c = lanes.lane(); c < logits.shape.c; c += warp_lanes) {
      const double other = get(lanes, n, c);
      if (other > value) value = other;
    }
    for (int by = warp_lanes / 2; by > 0; by /= 2) {
      const double other = ctx.shuffle_down(value, by);
      if (other > value) value = other;
    }
    return ctx.shuffle(value, 0);
  }
};

/// total = sum of the losses / their number, in a fixed order; 0 where there are none. One block.
struct MeanLossKernel {
  const double* losses;
  double* total;
  Index samples;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const BlockLanes<Context> lanes{ctx};
    double sum = 0;
    for (Index n = lanes.lane(); n < samples; n += lanes.lanes()) sum += lanes.load(losses + n);
    sum = lanes.sum(sum);
    if (lanes.lane() == 0) lanes.store(total, samples > 0 ? sum / static_cast<double>(samples) : 0.0);
  }
};

/// recal::train::cross_entropy on a device, in two steps, so that a training loop need not wait for the loss:
///
///   recal::cuda::CrossEntropy loss;
///   loss.launch(stream, logits, labels, dlogits, 0.1);   fills dlogits; nothing waits for the device
///   if (step % 100 == 0) print(loss.value(stream));      waits
///
/// It keeps its memory from call to call.
class CrossEntropy {
 public:
  /// dlogits assigned (may alias logits); the loss is left on the device. `labels` are on the host and may be reused.
  /// logits, dlogits (N, C, 1, 1) of float, half, bfloat16 or double; computed in double.
  /// errors: wrong shapes, a label outside [0, C), smoothing outside [0, 1]
  template <Machine M, NchwTensor Logits, train::LabelRange Labels, class Gradient>
  void launch(const M& machine, const Logits& logits, const Labels& labels, Gradient&& dlogits,
              double smoothing = 0.0) {
    using T = scalar_t<Logits>;
    const TensorView<const T> x = view_of(logits);
    const auto dx = view_of(dlogits);
    train::detail::check_labels(x.shape, labels);
    check_shape("gradient of the logits", dx.shape, x.shape);
    check(smoothing >= 0.0 && smoothing <= 1.0, "label smoothing ", smoothing, " is not in [0, 1]");

    const Index samples = x.shape.n;
    const std::vector<Index> numbers(std::ranges::begin(labels), std::ranges::end(labels));
    upload(machine, std::span<const Index>(numbers), labels_);
    losses_.resize(machine, samples);
    mean_.resize(machine, 1);
    constexpr int rows = 4;
    machine.launch({(samples + rows - 1) / rows, rows * warp_lanes},
                   CrossEntropyKernel<T, scalar_t<std::remove_reference_t<Gradient>>>{x, dx, labels_.data(),
                                                                                      losses_.data(), smoothing});
    machine.launch({1, 256, BlockLanes<int>::shared_bytes}, MeanLossKernel{losses_.data(), mean_.data(), samples});
  }

  /// The mean loss of the last launch(). Waits for the device.
  /// errors: there was none
  template <Machine M>
  [[nodiscard]] double value(const M& machine) const {
    check(mean_.size() == 1, "the loss is asked for before it was computed");
    double loss = 0;
    machine.copy_to_host(&loss, mean_.data(), sizeof(loss));
    return loss;
  }

 private:
  DeviceBuffer<Index> labels_;
  DeviceBuffer<double> losses_;
  DeviceBuffer<double> mean_;
};

/// Both steps at once, as recal::train::cross_entropy. Waits for the device.
template <Machine M, NchwTensor Logits, train::LabelRange Labels, class Gradient>
double cross_entropy(const M& machine, const Logits& logits, const Labels& labels, Gradient&& dlogits,
                     double smoothing = 0.0) {
  CrossEntropy loss;
  loss.launch(machine, logits, labels, dlogits, smoothing);
  return loss.value(machine);
}

}  // namespace recal::cuda
