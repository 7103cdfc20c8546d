// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recal/core/error.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/visit.hpp>
#include <recal/core/zero_gradients.hpp>
#include <recal/train/gradient_pool.hpp>
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

  class InBackward;

  /// The same inside a network's backward pass, layer by layer, each as soon as its gradients are complete:
  ///
  ///   net.backward(backend, images, dlogits, tape, sgd.in_backward(net, rate));
  ///
  /// Bit-identical to backward() and step_and_clear(), also where gradients of earlier batches are there. Parameters
  /// without memory for a gradient (release_gradients()) are lent some for the time of their layer: then the gradients
  /// of a network take as much as those of its largest layer.
  /// Parameters that have such memory lose it. What is returned is for one backward pass.
  /// errors: as step(); a layer that is not part of `layer`
  /// source: LOMO (Lv et al. 2023), section 3
  template <class Layer>
  [[nodiscard]] InBackward in_backward(Layer& layer, double rate) {
    momenta_.clear();
    for_each_pair(layer, [this](const std::string&, BasicParameter<T>& parameter, BasicState<T>& velocity) {
      momenta_.emplace_back(&parameter, &velocity);
    });
    std::sort(momenta_.begin(), momenta_.end(), before);
    return InBackward(*this, rate);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    for (auto& velocity : self.velocities_) v(velocity);
  }

 private:
  static constexpr Index piece_size = 1 << 14;

  struct Piece {
    T* value;
    T* grad;
    T* velocity;
    Index count;
    bool decay;
  };

  /// A parameter whose gradient is being added to, with memory of its own or lent.
  struct Loan {
    BasicParameter<T>* parameter;
    BasicState<T>* velocity;
    bool lent;
  };

  using Momentum = std::pair<const BasicParameter<T>*, BasicState<T>*>;

  [[nodiscard]] static bool before(const Momentum& a, const Momentum& b) { return std::less<>()(a.first, b.first); }

  template <bool clear, class Layer>
  void step_with(Layer& layer, double rate) {
    pieces_.clear();
    for_each_pair(layer, [this](const std::string& name, BasicParameter<T>& parameter, BasicState<T>& velocity) {
      check(parameter.grad.size() == parameter.value.size(), name, " has ", parameter.size(), " numbers and ",
            parameter.grad.size(), " gradients; backward comes before the optimiser's step");
      cut(parameter, velocity);
    });
    update_all<clear>(rate);
  }

  /// f(name, parameter, its momentum) for all parameters of the layer.
  template <class Layer, class F>
  void for_each_pair(Layer& layer, const F& f) {
    std::size_t next = 0;
    for_each_parameter(layer, [&](const std::string& name, BasicParameter<T>& parameter) {
      check(next < velocities_.size(), "the optimiser was made for ", velocities_.size(),
            " parameters, the layer has more, from ", name, " on");
      BasicState<T>& velocity = velocities_[next++];
      check(velocity.name.compare(prefix_length, std::string::npos, name) == 0 &&
                velocity.value.size() == parameter.value.size(),
            "the optimiser's next parameter is ", std::string_view(velocity.name).substr(prefix_length), " with ",
            velocity.size(), " numbers, the layer's is ", name, " with ", parameter.size());
      f(name, parameter, velocity);
    });
    check(next == velocities_.size(), "the optimiser was made for ", velocities_.size(), " parameters, the layer has ",
          next);
  }

  void cut(BasicParameter<T>& parameter, BasicState<T>& velocity) {
    for (Index first = 0; first < parameter.size(); first += piece_size)
      pieces_.push_back({parameter.value.data() + first, parameter.grad.data() + first, velocity.value.data() + first,
                         std::min(piece_size, parameter.size() - first), parameter.decay});
  }

  template <bool clear>
  void update_all(double rate) {
    const auto count = static_cast<Index>(pieces_.size());
    Index elements = 0;
    for (const Piece& piece : pieces_) elements += piece.count;
    parallel_for(count, elements <= piece_size ? count : 1, [&](Index i) { update<clear>(at(pieces_, i), rate); });
  }

  void lend(BasicParameter<T>& parameter) {
    BasicState<T>& velocity = momentum_of(parameter);
    const bool lent = parameter.grad.empty();
    if (lent) parameter.grad = pool_.lend(parameter.value.size());
    loans_.push_back({&parameter, &velocity, lent});
  }

  void step_and_take_back(double rate) {
    pieces_.clear();
    for (const Loan& loan : loans_) cut(*loan.parameter, *loan.velocity);
    update_all<true>(rate);
    for (const Loan& loan : loans_) {
      Buffer<T> gradient = std::exchange(loan.parameter->grad, {});
      if (loan.lent) pool_.take_back(std::move(gradient));
    }
  }

  [[nodiscard]] BasicState<T>& momentum_of(const BasicParameter<T>& parameter) {
    const auto found = std::lower_bound(momenta_.begin(), momenta_.end(), Momentum{&parameter, nullptr}, before);
    check(found != momenta_.end() && found->first == &parameter, parameter.name,
          " is not among the parameters of the layer that the step is for");
    return *found->second;
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
  std::vector<Momentum> momenta_;  // by address of the parameter
  std::vector<Loan> loans_;
  GradientPool<T> pool_;
};

/// A GradientUse (nn/gradient_use.hpp): the step of in_backward(). Layers must not be nested in one another's.
template <class T>
class Sgd<T>::InBackward {
 public:
  template <class Add, class... Layer>
  void operator()(const Add& add, Layer&... layers) {
    sgd_->loans_.clear();
    (for_each_parameter(layers, [this](BasicParameter<T>& parameter) { sgd_->lend(parameter); }), ...);
    add();
    sgd_->step_and_take_back(rate_);
  }

 private:
  friend Sgd;
  InBackward(Sgd& sgd, double rate) : sgd_(&sgd), rate_(rate) {}

  Sgd* sgd_;
  double rate_;
};

}  // namespace recal::train
