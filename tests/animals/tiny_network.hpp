// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "encode.hpp"
#include "network_impl.hpp"
#include "random.hpp"
#include "resize.hpp"
#include "split.hpp"

/// What trainer tests need and no more: a linear model, and pictures that it can tell apart.
namespace animals::testing {

/// logits = W x + running mean of what it saw, so that it has a parameter and a state.
struct LinearModel {
  struct Tape {
    FloatTensor logits;
  };

  recal::BasicParameter<float> weight;
  recal::BasicState<float> running{"running", 1};

  LinearModel(Index classes, Index inputs) : weight("weight", {classes, inputs}) {}

  [[nodiscard]] Index classes() const { return weight.shape[0]; }

  template <class B>
  Logits infer(const B&, const FloatTensor& x, Tape& tape) const {
    const Index inputs = weight.shape[1];
    tape.logits.resize({x.shape().n, classes(), 1, 1});
    for (Index n = 0; n < x.shape().n; ++n)
      for (Index c = 0; c < classes(); ++c) {
        float sum = running.value[0];
        for (Index i = 0; i < inputs; ++i)
          sum += weight.value[static_cast<std::size_t>(c * inputs + i)] * x.data()[n * inputs + i];
        tape.logits(n, c, 0, 0) = sum;
      }
    return std::as_const(tape.logits).view();
  }

  template <class B>
  Logits forward(const B& backend, const FloatTensor& x, Tape& tape) {
    running.value[0] = 0.9F * running.value[0] + 0.1F * x.data()[0];
    return infer(backend, x, tape);
  }

  template <class B, class Use>
  void backward(const B&, const FloatTensor& x, const FloatTensor& dlogits, Tape&, Use&& use) {
    use([&] { add_gradients(x, dlogits); }, *this);
  }

  void add_gradients(const FloatTensor& x, const FloatTensor& dlogits) {
    const Index inputs = weight.shape[1];
    for (Index n = 0; n < x.shape().n; ++n)
      for (Index c = 0; c < classes(); ++c)
        for (Index i = 0; i < inputs; ++i)
          weight.grad[static_cast<std::size_t>(c * inputs + i)] += dlogits(n, c, 0, 0) * x.data()[n * inputs + i];
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.running);
  }
};

inline std::unique_ptr<Network> linear_network(Index classes, Index size) {
  return std::make_unique<NetworkOf<LinearModel>>(std::make_unique<LinearModel>(classes, 3 * size * size),
                                                  recal::train::SgdOptions{.momentum = 0.9});
}

/// `count` pictures a class below `root`, bright above in one class and below in the other, each with a
/// pattern of its own; every
/// fourth for validation.
inline Split two_classes(const std::filesystem::path& root, int count) {
  Split split;
  split.root = root;
  split.classes = {"above", "below"};
  for (Index label = 0; label < 2; ++label) {
    for (int i = 0; i < count; ++i) {
      Random random(11, Purpose::show, {static_cast<std::uint64_t>(label), static_cast<std::uint64_t>(i)});
      Image coarse(6, 6);
      for (Index y = 0; y < 6; ++y)
        for (Index k = 0; k < 3 * 6; ++k)
          coarse.pixel(0, y)[k] =
              static_cast<std::uint8_t>((y < 3) == (label == 0) ? 110 + random.below(140) : random.below(140));
      const Image image = resized(coarse, 24, 20);
      const Sample sample{split.classes[static_cast<std::size_t>(label)] + "/" + std::to_string(i) + ".png", label};
      write_file(root / sample.file, encode_png(image));
      (i % 4 == 3 ? split.val : split.train).push_back(sample);
    }
  }
  return split;
}

}  // namespace animals::testing
