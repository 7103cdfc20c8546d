// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <recal/backend/cuda/parameter.hpp>
#include <recal/backend/cuda/plane_team.hpp>
#include <recal/backend/cuda/selector.hpp>
#include <recal/train/sgd_options.hpp>

namespace recal::cuda {

/// One step of SGD on an array: elements [0, count), four at a time. All arrays begin at 256 bytes, as device memory
/// does.
struct SgdKernel {
  float* value;
  const float* grad;
  float* velocity;
  Index count;
  float decay;
  float momentum;
  float rate;
  float ahead;  // p -= rate * (ahead * d + keep * v)
  float keep;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    constexpr int L = detail::vector_length<float>;
    const Index rest = count / L * L;
    const Index first = ctx.block() * ctx.threads() + ctx.thread();
    const Index threads = ctx.blocks() * ctx.threads();
    for (Index i = first * L; i < rest; i += threads * L) {
      auto p = ctx.load(detail::as_vector<L>(static_cast<const float*>(value + i)));
      auto v = ctx.load(detail::as_vector<L>(static_cast<const float*>(velocity + i)));
      const auto g = ctx.load(detail::as_vector<L>(grad + i));
      for (int l = 0; l < L; ++l) step(p.lane[l], v.lane[l], g.lane[l]);
      ctx.store(detail::as_vector<L>(value + i), p);
      ctx.store(detail::as_vector<L>(velocity + i), v);
    }
    if (first < count - rest) {
      float p = ctx.load(value + rest + first);
      float v = ctx.load(velocity + rest + first);
      step(p, v, ctx.load(grad + rest + first));
      ctx.store(value + rest + first, p);
      ctx.store(velocity + rest + first, v);
    }
  }

 private:
  RECAL_HOST_DEVICE void step(float& p, float& v, float g) const {
    const float d = g + decay * p;
    v = momentum * v + d;
    p -= rate * (ahead * d + keep * v);
  }
};

/// recal::train::Sgd on a device: the same rule, options and names, for the parameters of a module or network on the
/// device. The momenta are states "momentum.<parameter>" in device memory, listed by visit().
class Sgd {
 public:
  /// Momenta are made for the parameters of `layer`, all zero.
  /// errors: momentum or weight decay below 0, Nesterov without momentum
  template <Machine M, class Layer>
  Sgd(const M& machine, const Layer& layer, const train::SgdOptions& options = {}) : options_(options) {
    train::detail::check_options(options);
    for_each_parameter(layer, [&](const std::string& name, const DeviceParameter& parameter) {
      DeviceState velocity(machine, BasicState<float>("momentum." + name, parameter.size()));
      velocity.shape = parameter.shape;
      velocities_.push_back(std::move(velocity));
    });
  }

  [[nodiscard]] const train::SgdOptions& options() const noexcept { return options_; }

  /// One step along the gradients, which are left as they are: one launch for each parameter array, 3 reads and 2
  /// writes of it. Nothing waits for the device.
  /// errors: parameters that are not, in order, name and size, those this optimiser was made for; none is changed
  template <Machine M, class Layer>
  void step(const M& machine, Layer& layer, double rate) {
    const std::vector<DeviceParameter*> parameters = matching(layer);
    for (std::size_t i = 0; i < parameters.size(); ++i) update(machine, *parameters[i], velocities_[i], rate);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    for (auto& velocity : self.velocities_) v(velocity);
  }

 private:
  template <class Layer>
  [[nodiscard]] std::vector<DeviceParameter*> matching(Layer& layer) const {
    std::vector<DeviceParameter*> found;
    for_each_parameter(layer, [&](const std::string& name, DeviceParameter& parameter) {
      check(found.size() < velocities_.size(), "the optimiser was made for ", velocities_.size(),
            " parameters, the layer has more, from ", name, " on");
      const DeviceState& velocity = velocities_[found.size()];
      check(velocity.name.compare(prefix_length, std::string::npos, name) == 0 && velocity.size() == parameter.size(),
            "the optimiser's next parameter is ", velocity.name.substr(prefix_length), " with ", velocity.size(),
            " numbers, the layer's is ", name, " with ", parameter.size());
      found.push_back(&parameter);
    });
    check(found.size() == velocities_.size(), "the optimiser was made for ", velocities_.size(),
          " parameters, the layer has ", found.size());
    return found;
  }

  template <class M>
  void update(const M& machine, const DeviceParameter& parameter, const DeviceState& velocity, double rate) const {
    const auto momentum = static_cast<float>(options_.momentum);
    const Index quarters = (parameter.size() + 3) / 4;
    const Index most = machine.multiprocessors() * blocks_per_multiprocessor;
    machine.launch({std::min((quarters + plane_threads - 1) / plane_threads, most), plane_threads},
                   SgdKernel{.value = parameter.value.data(),
                             .grad = parameter.grad.data(),
                             .velocity = velocity.value.data(),
                             .count = parameter.size(),
                             .decay = parameter.decay ? static_cast<float>(options_.weight_decay) : 0.0F,
                             .momentum = momentum,
                             .rate = static_cast<float>(rate),
                             .ahead = options_.nesterov ? 1.0F : 0.0F,
                             .keep = options_.nesterov ? momentum : 1.0F});
  }

  static constexpr std::size_t prefix_length = 9;  // "momentum."

  train::SgdOptions options_;
  std::vector<DeviceState> velocities_;
};

}  // namespace recal::cuda
