// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/cpu/fixed_weights.hpp>
#include <recal/core/error.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/ge.hpp>
#include <recal/nn/bottleneck.hpp>
#include <recal/nn/resnet.hpp>
#include <recal/se.hpp>
#include <recal/srm.hpp>
#include <recal/train/cross_entropy.hpp>
#include <recal/train/sgd.hpp>

namespace bench {

namespace {

template <class Module>
class ResNet50 final : public Network {
 public:
  explicit ResNet50(recal::Index classes) : net_({.layout = recal::nn::resnet50, .classes = classes}), sgd_(net_) {
    recal::release_gradients(net_);
  }

  void train(const recal::Tensor<float>& images, std::span<const recal::Index> labels) override {
    const auto logits = net_.forward(recal::Cpu{}, images, tape_);
    gradient_.resize(logits.shape);
    recal::train::cross_entropy(logits, labels, gradient_);
    net_.backward(recal::Cpu{}, images, gradient_, tape_, sgd_.in_backward(net_, 1e-3));
    fixed_.clear();
  }

  void infer(const recal::Tensor<float>& images) override { net_.infer(recal::Cpu{}, images, tape_, &fixed_); }

 private:
  using Net = recal::nn::ResNet<float, Module>;

  Net net_;
  typename Net::Tape tape_;
  recal::cpu::FixedWeights<float> fixed_;
  recal::Tensor<float> gradient_;
  recal::train::Sgd<float> sgd_;
};

}  // namespace

std::unique_ptr<Network> make_network(std::string_view module, recal::Index classes) {
  if (module == "none") return std::make_unique<ResNet50<recal::nn::NoModule>>(classes);
  if (module == "srm") return std::make_unique<ResNet50<recal::Srm<>>>(classes);
  if (module == "se") return std::make_unique<ResNet50<recal::Se<>>>(classes);
  if (module == "ge") return std::make_unique<ResNet50<recal::GeThetaMinus<>>>(classes);
  recal::fail("no network with the module ", module, "; there are none, srm, se and ge");
}

}  // namespace bench
