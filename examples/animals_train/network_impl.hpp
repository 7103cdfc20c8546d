// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>

#include <recal/backend/cpu/backend.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/core/visit.hpp>
#include <recal/nn/resnet.hpp>

#include "convolutions.hpp"
#include "network.hpp"
#include "random.hpp"
#include "text.hpp"

namespace animals {

/// A Network made of any model with recal's functions: infer, forward and backward on a tape, and visit. The optimiser
/// steps inside the backward pass, so there is no memory for the gradients of all parameters.
template <class Model>
class NetworkOf final : public Network {
 public:
  NetworkOf(std::unique_ptr<Model> model, const recal::train::SgdOptions& sgd)
      : model_(std::move(model)), optimiser_(*model_, sgd) {
    recal::release_gradients(*model_);
  }

  Logits infer(const FloatTensor& images) override { return model_->infer(recal::Cpu{}, images, tape_); }

  Logits forward(const FloatTensor& images) override { return model_->forward(recal::Cpu{}, images, tape_); }

  void learn(const FloatTensor& images, const FloatTensor& dlogits, double rate) override {
    model_->backward(recal::Cpu{}, images, dlogits, tape_, optimiser_.in_backward(*model_, rate));
  }

  [[nodiscard]] Index parameters() const override { return recal::parameter_count(*model_); }

  void save_weights(const std::filesystem::path& path, const recal::train::Notes& notes) const override {
    recal::train::save_checkpoint(path, notes, *model_);
  }
  void save_all(const std::filesystem::path& path, const recal::train::Notes& notes) const override {
    recal::train::save_checkpoint(path, notes, *model_, optimiser_);
  }
  recal::train::Notes load_weights(const std::filesystem::path& path) override {
    return recal::train::load_checkpoint(path, recal::train::without_momenta(), *model_);
  }
  recal::train::Notes load_all(const std::filesystem::path& path) override {
    return recal::train::load_checkpoint(path, *model_, optimiser_);
  }

 private:
  std::unique_ptr<Model> model_;
  recal::train::Sgd<float> optimiser_;
  typename Model::Tape tape_;
};

/// A seed of its own for the module of each block.
class ModuleSeeds {
 public:
  explicit ModuleSeeds(std::uint64_t seed) : seed_(seed) {}
  [[nodiscard]] std::uint64_t next() { return Random(seed_, Purpose::module, {++count_}).bits(); }

 private:
  std::uint64_t seed_;
  std::uint64_t count_ = 0;
};

/// ResNet-18, 34, 50 or 101 with `Module` in every block, made by `make(channels, height, width)`.
template <class Module, class Make = recal::nn::MakeByChannels<Module>>
[[nodiscard]] std::unique_ptr<Network> make_resnet(const NetworkOptions& options, Make make = {}) {
  using Model = recal::nn::ResNet<float, Module>;
  recal::nn::ResNetOptions resnet;
  resnet.layout = layout_of(options.net);
  resnet.classes = options.classes;
  resnet.stem = options.stem;
  resnet.height = options.size;
  resnet.width = options.size;
  resnet.seed = options.seed;
  resnet.zero_init_residual = true;
  return std::make_unique<NetworkOf<Model>>(std::make_unique<Model>(resnet, std::move(make)), options.sgd);
}

}  // namespace animals
