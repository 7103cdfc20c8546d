// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <recal/core/tensor.hpp>
#include <recal/nn/resnet_layout.hpp>
#include <recal/train/checkpoint.hpp>
#include <recal/train/sgd.hpp>

namespace animals {

using recal::Index;
using FloatTensor = recal::Tensor<float>;
using Logits = recal::TensorView<const float>;
using recal::nn::Stem;

/// A network with its optimiser behind virtual functions, so that the trainer is compiled once, not once a module.
class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  /// The logits (N, classes, 1, 1) of images (N, 3, size, size), with running statistics. They live until the next
  /// call.
  virtual Logits infer(const FloatTensor& images) = 0;

  /// The same in training mode; keeps what learn() needs.
  virtual Logits forward(const FloatTensor& images) = 0;

  /// One step of the optimiser along the gradients of the last forward(). requires: the images of that forward()
  virtual void learn(const FloatTensor& images, const FloatTensor& dlogits, double rate) = 0;

  /// The number of learnable numbers.
  [[nodiscard]] virtual Index parameters() const = 0;

  /// Writes the weights under their own names, or weights and momenta.
  virtual void save_weights(const std::filesystem::path& path, const recal::train::Notes& notes) const = 0;
  virtual void save_all(const std::filesystem::path& path, const recal::train::Notes& notes) const = 0;

  /// Reads the weights of either file, or weights and momenta of the second.
  virtual recal::train::Notes load_weights(const std::filesystem::path& path) = 0;
  virtual recal::train::Notes load_all(const std::filesystem::path& path) = 0;
};

struct NetworkOptions {
  std::string net = "resnet50";
  std::string recalibration = "srm";
  Index classes = 10;
  Stem stem = Stem::large;
  Index size = 64;  ///< of the input images
  std::uint64_t seed = 1;
  recal::train::SgdOptions sgd;
};

/// What make_network() knows.
[[nodiscard]] const std::vector<std::string>& network_names();
[[nodiscard]] const std::vector<std::string>& recalibration_names();

/// The blocks of the network of that name. Throws failure for a name that is not among the above.
[[nodiscard]] recal::nn::ResNetLayout layout_of(const std::string& net);

/// A freshly initialised network, a function of the options.
/// Throws failure for a name that is not among the above.
[[nodiscard]] std::unique_ptr<Network> make_network(const NetworkOptions& options);

}  // namespace animals
