// SPDX-License-Identifier: Apache-2.0
#include <recal/io/state_dict.hpp>

#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <tests/support/temporary_folder.hpp>

using recal::Index;
using recal::io::Dtype;
using recal::io::load_state;
using recal::io::LoadOptions;
using recal::io::LoadReport;
using recal::io::SafetensorsFile;
using recal::io::SafetensorsWriter;

namespace {

template <class T, class Count>
struct Norm {
  recal::BasicParameter<T> weight{"weight", {3}};
  recal::BasicState<T> running_mean{"running_mean", 3};
  recal::BasicState<Count> num_batches_tracked{"num_batches_tracked", 1};

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.running_mean);
    v(self.num_batches_tracked);
  }
};

template <class T>
struct Gate {
  recal::BasicParameter<T> cfc{"cfc", {3, 2}};
  Norm<T, T> bn;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.cfc);
    v("bn", self.bn);
  }
};

template <class T>
struct Linear {
  recal::BasicParameter<T> weight{"weight", {2, 3}};
  recal::BasicParameter<T> bias{"bias", {2}};

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.bias);
  }
};

/// A small network with everything that checkpoints hold: 10 arrays.
template <class T>
struct Network {
  recal::BasicParameter<T> conv{"conv1.weight", {3, 1, 2, 2}};
  Norm<T, Index> bn1;
  Gate<T> rclb;
  Linear<T> fc;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.conv);
    v("bn1", self.bn1);
    v("layer1.0.rclb", self.rclb);
    v("fc", self.fc);
  }
};

/// Every number of the network different, halves of integers, so that half holds them too.
template <class T>
Network<T> numbered(int start) {
  Network<T> network;
  recal::for_each_leaf(network, [&start](const std::string& name, auto& leaf) {
    using Value = typename std::remove_cvref_t<decltype(leaf.value)>::value_type;
    const bool whole = recal::io::is_batch_count(name);
    for (Value& value : leaf.value) value = static_cast<Value>(whole ? start++ : 0.5 * start++);
  });
  return network;
}

template <class T>
std::vector<double> all_values(const Network<T>& network) {
  std::vector<double> result;
  recal::for_each_leaf(network, [&result](const std::string&, const auto& leaf) {
    for (const auto value : leaf.value) result.push_back(static_cast<double>(value));
  });
  return result;
}

/// A file with float tensors of the given names and shapes, whose values count up from 1.
std::vector<std::byte> file_with(const std::vector<std::pair<std::string, std::vector<Index>>>& tensors) {
  SafetensorsWriter writer;
  for (const auto& [name, shape] : tensors) {
    std::vector<float> values(
        static_cast<std::size_t>(std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>())));
    std::iota(values.begin(), values.end(), 1.0F);
    writer.add<float>(name, shape, values);
  }
  return writer.to_bytes();
}

}  // namespace

TEST_CASE("what is saved is loaded, exactly, in float and double") {
  const recal::testing::TemporaryFolder folder;
  const auto round_trip = [&folder]<class T>(std::type_identity<T>) {
    const Network<T> network = numbered<T>(1);
    recal::io::save_state(network, folder / "m.safetensors");
    Network<T> other;
    const LoadReport report = load_state(other, folder / "m.safetensors");
    CHECK(all_values(other) == all_values(network));
    CHECK(report.loaded.size() == 10);
    CHECK(report.loaded.front() == "conv1.weight");
    CHECK(report.kept.empty());
    CHECK(report.skipped.empty());
  };
  round_trip(std::type_identity<float>{});
  round_trip(std::type_identity<double>{});
}

TEST_CASE("files carry torchvision's names, and counts of batches as I64 scalars") {
  SafetensorsWriter writer;
  const Network<float> network = numbered<float>(1);
  recal::io::add_state(writer, network);
  const auto bytes = writer.to_bytes();
  const auto file = SafetensorsFile::from_memory(bytes);
  CHECK(file.tensor("layer1.0.rclb.cfc").shape == std::vector<Index>{3, 2});
  CHECK(file.tensor("fc.weight").dtype == Dtype::f32);
  for (const auto* name : {"bn1.num_batches_tracked", "layer1.0.rclb.bn.num_batches_tracked"}) {
    CHECK(file.tensor(name).dtype == Dtype::i64);
    CHECK(file.tensor(name).shape.empty());
  }
  CHECK(file.read<Index>("bn1.num_batches_tracked")[0] == network.bn1.num_batches_tracked.value[0]);
}

TEST_CASE("float files are read into double layers and the other way round") {
  SafetensorsWriter writer;
  const Network<float> network = numbered<float>(1);
  recal::io::add_state(writer, network);
  const auto bytes = writer.to_bytes();
  Network<double> wide;
  load_state(wide, SafetensorsFile::from_memory(bytes));
  CHECK(all_values(wide) == all_values(network));

  SafetensorsWriter wide_writer;
  recal::io::add_state(wide_writer, wide);
  const auto wide_bytes = wide_writer.to_bytes();
  Network<float> narrow;
  load_state(narrow, SafetensorsFile::from_memory(wide_bytes));
  CHECK(all_values(narrow) == all_values(network));
}

TEST_CASE("half precision files are read") {
  Linear<float> linear;
  SafetensorsWriter writer;
  writer.add<recal::half>("weight", {2, 3}, std::vector<recal::half>(6, recal::half(0.25F)));
  writer.add<recal::bfloat16>("bias", {2}, std::vector<recal::bfloat16>(2, recal::bfloat16(-3.0F)));
  const auto bytes = writer.to_bytes();
  load_state(linear, SafetensorsFile::from_memory(bytes));
  CHECK(linear.weight.value[5] == 0.25F);
  CHECK(linear.bias.value[0] == -3.0F);
}

TEST_CASE("gradients are left alone") {
  Linear<float> linear;
  linear.weight.grad.assign(6, 9.0F);
  const auto bytes = file_with({{"weight", {2, 3}}, {"bias", {2}}});
  load_state(linear, SafetensorsFile::from_memory(bytes));
  CHECK(linear.weight.grad[3] == 9.0F);
  CHECK(linear.weight.value[3] == 4.0F);
}

TEST_CASE("everything that is wrong is in one message, and nothing is written") {
  const auto bytes = file_with({{"conv1.weight", {3, 1, 3, 3}},
                                {"bn1.weight", {3}},
                                {"bn1.running_mean", {3}},
                                {"layer1.0.rclb.cfc", {3, 2}},
                                {"layer1.0.rclb.bn.weight", {3}},
                                {"fc.weight", {1000, 3}},
                                {"fc.scale", {2}},
                                {"extra", {}}});
  Network<float> network = numbered<float>(100);
  const std::vector<double> before = all_values(network);
  CHECK_THROWS_WITH_AS(load_state(network, SafetensorsFile::from_memory(bytes, "m")),
                       "recal: m: does not fit the network:"
                       "\n  missing: layer1.0.rclb.bn.running_mean [3]"
                       "\n  missing: fc.bias [2]"
                       "\n  unexpected: \"extra\" []"
                       "\n  unexpected: \"fc.scale\" [2]"
                       "\n  wrong: conv1.weight has shape [3, 1, 3, 3] in the file, [3, 1, 2, 2] in the network"
                       "\n  wrong: fc.weight has shape [1000, 3] in the file, [2, 3] in the network",
                       recal::error);
  CHECK(all_values(network) == before);
}

TEST_CASE("tensors of another kind of number are refused, and nothing is written") {
  Linear<float> linear;
  SafetensorsWriter writer;
  writer.add<float>("weight", {2, 3}, std::vector<float>(6, 1.0F));
  writer.add<std::int32_t>("bias", {2}, std::vector<std::int32_t>{1, 2});
  const auto bytes = writer.to_bytes();
  CHECK_THROWS_WITH_AS(load_state(linear, SafetensorsFile::from_memory(bytes, "m")),
                       "recal: m: does not fit the network:\n  wrong: bias is I32 in the file, F32 in the network",
                       recal::error);
  CHECK(linear.weight.value[0] == 0.0F);
}

TEST_CASE("counts of batches may be missing, integers or floating point, but only counts") {
  Norm<float, Index> norm;
  norm.num_batches_tracked.value[0] = 5;
  const auto load = [&norm](auto&& add_count) {
    SafetensorsWriter writer;
    writer.add<float>("weight", {3}, std::vector<float>{7, 8, 9});
    writer.add<float>("running_mean", {3}, std::vector<float>(3));
    add_count(writer);
    const auto bytes = writer.to_bytes();
    load_state(norm, SafetensorsFile::from_memory(bytes, "m"));
    return norm.num_batches_tracked.value[0];
  };
  const std::string name = "num_batches_tracked";
  CHECK(load([](SafetensorsWriter&) {}) == 5);
  CHECK(norm.weight.value[1] == 8.0F);
  CHECK(load([&](auto& w) { w.template add<std::int64_t>(name, {}, std::vector<std::int64_t>{1000}); }) == 1000);
  CHECK(load([&](auto& w) { w.template add<std::int32_t>(name, {1}, std::vector<std::int32_t>{12}); }) == 12);
  CHECK(load([&](auto& w) { w.template add<float>(name, {}, std::vector<float>{13}); }) == 13);
  CHECK_THROWS_WITH_AS(load([&](auto& w) { w.template add<std::int64_t>(name, {}, std::vector<std::int64_t>{-1}); }),
                       doctest::Contains("num_batches_tracked is -1"), recal::error);
  CHECK_THROWS_WITH_AS(load([&](auto& w) {
                         w.template add<float>(name, {2}, std::vector<float>{1, 2});
                       }),
                       doctest::Contains("has shape [2] in the file, [1] in the network"), recal::error);
  CHECK(norm.num_batches_tracked.value[0] == 13);
}

TEST_CASE("ignored prefixes keep the layer's values and are reported: another number of classes") {
  const auto bytes = file_with({{"conv1.weight", {3, 1, 2, 2}},
                                {"bn1.weight", {3}},
                                {"bn1.running_mean", {3}},
                                {"layer1.0.rclb.cfc", {3, 2}},
                                {"layer1.0.rclb.bn.weight", {3}},
                                {"layer1.0.rclb.bn.running_mean", {3}},
                                {"fc.weight", {1000, 3}},
                                {"fc.old", {1000}}});
  Network<float> network = numbered<float>(1);
  const Network<float> before = network;
  LoadOptions options;
  options.ignore = {"fc."};
  const LoadReport report = load_state(network, SafetensorsFile::from_memory(bytes), options);
  CHECK(report.loaded.size() == 6);
  CHECK(report.kept == std::vector<std::string>{"fc.weight", "fc.bias"});
  CHECK(report.skipped == std::vector<std::string>{"fc.old", "fc.weight"});
  CHECK(network.fc.weight.value == before.fc.weight.value);
  CHECK(network.conv.value[1] == 2.0F);
}

TEST_CASE("a network is one part of a larger file") {
  const Network<float> network = numbered<float>(1);
  SafetensorsWriter writer;
  recal::io::add_state(writer, network, "model.");
  writer.add<float>("momentum.conv1.weight", {1}, std::vector<float>{1});
  const auto bytes = writer.to_bytes();
  const auto file = SafetensorsFile::from_memory(bytes);
  Network<float> other;
  LoadOptions options;
  options.prefix = "model.";
  load_state(other, file, options);
  CHECK(all_values(other) == all_values(network));
  CHECK_THROWS_WITH_AS(load_state(other, file), doctest::Contains("unexpected: \"model.conv1.weight\""), recal::error);
}

TEST_CASE("checkpoints of other code are understood: DataParallel, names of the module, a cfc as Conv1d") {
  const auto bytes = file_with({{"module.layer1.0.recalibration.cfc.weight", {3, 1, 2}},
                                {"module.layer1.0.recalibration.bn.weight", {3}},
                                {"module.layer1.0.recalibration.bn.running_mean", {3}},
                                {"module.conv1.weight", {3, 1, 2, 2}},
                                {"module.bn1.weight", {3}},
                                {"module.bn1.running_mean", {3}},
                                {"module.fc.weight", {2, 3, 1, 1}},
                                {"module.fc.bias", {2}}});
  Network<float> network;
  load_state(network, SafetensorsFile::from_memory(bytes));
  CHECK(network.rclb.cfc.value[5] == 6.0F);
  CHECK(network.fc.weight.value[5] == 6.0F);
}

TEST_CASE("two tensors that mean the same array are refused") {
  const auto bytes = file_with({{"module.bias", {2}}, {"bias", {2}}, {"weight", {2, 3}}});
  Linear<float> linear;
  CHECK_THROWS_WITH_AS(load_state(linear, SafetensorsFile::from_memory(bytes, "m")),
                       "recal: m: tensors \"bias\" and \"module.bias\" are both bias", recal::error);
}
