// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <string>

#include <doctest/doctest.h>

#include <recal/train/checkpoint.hpp>
#include <recal/train/sgd.hpp>

#include "../support/temporary_folder.hpp"

namespace {

using recal::BasicParameter;
using recal::BasicState;
using recal::Index;
using recal::testing::TemporaryFolder;
using recal::train::load_checkpoint;
using recal::train::Notes;
using recal::train::save_checkpoint;
using recal::train::Sgd;

struct Model {
  BasicParameter<float> weight{"weight", {3, 2}};
  BasicState<float> mean{"running_mean", 3};
  BasicState<Index> batches{"num_batches_tracked", 1};

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.mean);
    v(self.batches);
  }
};

Model trained_model(float from) {
  Model model;
  for (float& value : model.weight.value) value = from += 0.1F;
  for (float& value : model.mean.value) value = from *= -1.25F;
  model.batches.value[0] = 77;
  return model;
}

void fill_gradients(Model& model, float value) {
  for (float& gradient : model.weight.grad) gradient = value += 0.3F;
}

TEST_CASE("a checkpoint brings back model, momenta and notes exactly, and training goes on the same") {
  const TemporaryFolder folder;
  Model model = trained_model(1.0F);
  Sgd<float> optimiser(model, {.momentum = 0.9});
  fill_gradients(model, 0.5F);
  optimiser.step(model, 0.1);
  save_checkpoint(folder / "c.safetensors", {{"step", "1"}, {"what", "a \"run\""}}, model, optimiser);

  Model other;
  Sgd<float> other_optimiser(other, {.momentum = 0.9});
  const Notes notes = load_checkpoint(folder / "c.safetensors", other, other_optimiser);
  CHECK(notes == Notes{{"step", "1"}, {"what", "a \"run\""}});
  CHECK(other.weight.value == model.weight.value);
  CHECK(other.mean.value == model.mean.value);
  CHECK(other.batches.value == model.batches.value);

  fill_gradients(model, -2.0F);
  fill_gradients(other, -2.0F);
  optimiser.step(model, 0.1);
  other_optimiser.step(other, 0.1);
  CHECK(other.weight.value == model.weight.value);
}

TEST_CASE("the model alone can be read from a checkpoint with momenta") {
  const TemporaryFolder folder;
  const Model model = trained_model(2.0F);
  save_checkpoint(folder / "c.safetensors", {}, model, Sgd<float>(model));
  Model other;
  CHECK_THROWS_WITH_AS(load_checkpoint(folder / "c.safetensors", other), doctest::Contains("momentum.weight"),
                       recal::error);
  CHECK(other.weight.value == Model{}.weight.value);
  load_checkpoint(folder / "c.safetensors", recal::train::without_momenta(), other);
  CHECK(other.weight.value == model.weight.value);
}

TEST_CASE("momenta are missing from a checkpoint of the model alone, and nothing is written") {
  const TemporaryFolder folder;
  save_checkpoint(folder / "c.safetensors", {}, trained_model(2.0F));
  Model other;
  Sgd<float> optimiser(other);
  CHECK_THROWS_WITH_AS(load_checkpoint(folder / "c.safetensors", other, optimiser),
                       doctest::Contains("momentum.weight"), recal::error);
  CHECK(other.weight.value == Model{}.weight.value);
  CHECK(other.batches.value[0] == 0);
}

TEST_CASE("a failed save leaves the old file and nothing else") {
  const TemporaryFolder folder;
  const Model model = trained_model(1.0F);
  save_checkpoint(folder / "c.safetensors", {{"step", "1"}}, model);
  CHECK_THROWS_AS(save_checkpoint(folder / "c.safetensors", {{"step", "2"}}, model, model), recal::error);
  Model other;
  CHECK(load_checkpoint(folder / "c.safetensors", other).at("step") == "1");
  CHECK(folder.count() == 1);
}

TEST_CASE("the same content gives the same bytes") {
  const TemporaryFolder folder;
  const Model model = trained_model(1.0F);
  save_checkpoint(folder / "a", {{"x", "1"}, {"y", "2"}}, model);
  save_checkpoint(folder / "b", {{"y", "2"}, {"x", "1"}}, model);
  const recal::io::InputFile a(folder / "a");
  const recal::io::InputFile b(folder / "b");
  REQUIRE(a.size() == b.size());
  std::vector<std::byte> bytes_a(static_cast<std::size_t>(a.size()));
  std::vector<std::byte> bytes_b(bytes_a.size());
  a.read(0, bytes_a);
  b.read(0, bytes_b);
  CHECK(bytes_a == bytes_b);
}

}  // namespace
