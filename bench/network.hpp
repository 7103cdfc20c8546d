// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include <recal/core/tensor.hpp>

namespace bench {

/// ResNet-50 with a module after the last norm of every block. Hides the network's type, which takes long to compile.
class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  /// One step of training: gradients to zero, forward, cross-entropy, backward, SGD with momentum.
  virtual void train(const recal::Tensor<float>& images, std::span<const recal::Index> labels) = 0;
  virtual void infer(const recal::Tensor<float>& images) = 0;
};

/// `module` is none, srm, se or ge.
[[nodiscard]] std::unique_ptr<Network> make_network(std::string_view module, recal::Index classes);

}  // namespace bench
