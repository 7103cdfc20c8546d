// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recal/core/error.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/visit.hpp>
#include <recal/core/zero_gradients.hpp>
#include <recal/train/sgd_options.hpp>

namespace recal::train {

/// Stochastic gradient descent with momentum, PyTorch's rule, for every parameter p with gradient g:
///   d = g + weight_decay * p      (only where p.decay)
///   v = momentum * v + d          (v = 0 before the first step)
///   p = p - lr * (nesterov ? d + momentum * v : v)
/// Source: torch.optim.SGD; Sutskever et al. 2013.
///
/// The momenta follow the parameters by order and name. They are listed by visit(), named "momentum.<parameter>", so
/// that for_each_state() and checkpoints reach them.
template <class T>
class Sgd {
 public:
  /// Momenta are made for the parameters of `layer`, all zero.
  /// errors: momentum or weight decay below 0, Nesterov without momentum
  template <class Layer>
  explicit Sgd(const Layer& layer, const SgdOptions& options = {}) : options_(options) {
    detail::check_options(options);
    for_each_parameter(layer, [this](const std::string& name, const BasicParameter<T>& parameter) {
      BasicState<T> velocity("momentum." + name, parameter.size());
      velocity.shape = parameter.shape;
      velocities_.push_back(std::move(velocity));
    });
  }

  [[nodiscard]] const SgdOptions& options() const noexcept { return options_; }

  /// One step along the gradients, which are left as they are. Elementwise: 3 reads and 2 writes of every parameter.
  /// errors: parameters that are not, in order, name and size, those this optimiser was made for
  template <class Layer>
  void step(Layer& layer, double rate) {
    step_with<false>(layer, rate);
  }

  /// The same, and every gradient is zero afterwards, ready for the next backward pass: one write more, where
  /// zero_gradients() would fetch and write them all once more.
  template <class Layer>
  void step_and_clear(Layer& layer, double rate) {
    step_with<true>(layer, rate);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    for (auto& velocity : self.velocities_) v(velocity);
  }

 private:
  static constexpr Index piece_size = 1 << 16;

  struct Piece {
    T* value;
    T* grad;
    T* velocity;
    Index count;
    bool decay;
  };

  template <bool clear, class Layer>
  void step_with(Layer& layer, double rate) {
    collect(layer);
    parallel_for(static_cast<Index>(pieces_.size()), [&](Index i) { update<clear>(at(pieces_, i), rate); });
  }

  template <class Layer>
  void collect(Layer& layer) {
    pieces_.clear();
    std::size_t next = 0;
    for_each_parameter(layer, [&](const std::string& name, BasicParameter<T>& parameter) {
      check(next < velocities_.size(), "the optimiser was made for ", velocities_.size(),
            " parameters, the layer has more, from ", name, " on");
      BasicState<T>& velocity = velocities_[next++];
      check(velocity.name.compare(prefix_length, std::string::npos, name) == 0 &&
                velocity.value.size() == parameter.value.size(),
            "the optimiser's next parameter is ", std::string_view(velocity.name).substr(prefix_length), " with ",
            velocity.size(), " numbers, the layer's is ", name, " with ", parameter.size());
      for (Index first = 0; first < parameter.size(); first += piece_size)
        pieces_.push_back({parameter.value.data() + first, parameter.grad.data() + first, velocity.value.data() + first,
                           std::min(piece_size, parameter.size() - first), parameter.decay});
    });
    check(next == velocities_.size(), "the optimiser was made for ", velocities_.size(), " parameters, the layer has ",
          next);
  }

  template <bool clear>
  void update(const Piece& piece, double rate) const {
    const T decay = piece.decay ? static_cast<T>(options_.weight_decay) : T{};
    const T momentum = static_cast<T>(options_.momentum);
    const T lr = static_cast<T>(rate);
    // p -= lr * (ahead * d + keep * v)
    const T ahead = options_.nesterov ? T{1} : T{};
    const T keep = options_.nesterov ? momentum : T{1};
    T* __restrict value = piece.value;
    T* __restrict velocity = piece.velocity;
    T* __restrict grad = piece.grad;
    for (Index i = 0; i < piece.count; ++i) {
      const T d = grad[i] + decay * value[i];
      const T v = momentum * velocity[i] + d;
      velocity[i] = v;
      value[i] -= lr * (ahead * d + keep * v);
      if constexpr (clear) grad[i] = T{};
    }
  }

  static constexpr std::size_t prefix_length = 9;  // "momentum."

  SgdOptions options_;
  std::vector<BasicState<T>> velocities_;
  std::vector<Piece> pieces_;
};

}  // namespace recal::train
