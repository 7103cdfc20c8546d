// SPDX-License-Identifier: Apache-2.0
#include <recal/nn/conv2d.hpp>

#include <doctest/doctest.h>

#include <recal/core/parallel.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/started.hpp"

using namespace recal;
using recal::testing::Golden;
using recal::testing::random_tensor;
using recal::testing::relative_error;

namespace {

template <class T, class B>
void check_golden(const B& backend, const std::string& name) {
  const Golden g(name);
  const auto x = g.tensor<T>("x");
  const auto dy = g.tensor<T>("dy");
  const auto& sizes = g.sizes("param/weight");
  const auto option = [&](const char* key) { return static_cast<Index>(g.number(key)); };
  nn::Conv2d<T> conv(x.shape().c, sizes[0],
                     {.kernel = sizes[2],
                      .stride = option("stride"),
                      .padding = option("padding"),
                      .groups = option("groups"),
                      .bias = g.has("param/bias")});
  recal::testing::load_parameters(conv, g);
  Tensor<T> y(conv.output_shape(x.shape()), static_cast<T>(NAN));
  Tensor<T> dx(x.shape(), static_cast<T>(NAN));
  conv.forward(backend, x, y);
  conv.backward(backend, x, dy, dx);
  const double output = std::is_same_v<T, double> ? 1e-9 : 2e-6;
  const double gradient = std::is_same_v<T, double> ? 1e-9 : 2e-5;
  recal::testing::check_tensor(y, g, "y", output);
  recal::testing::check_tensor(dx, g, "dx", gradient);
  recal::testing::check_gradients(conv, g, gradient);
}

std::string message_of(const auto& call) {
  try {
    call();
  } catch (const error& e) {
    return e.what();
  }
  return "";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Conv2d equals PyTorch's") {
  for (const std::string& name : recal::testing::golden_cases("conv_")) {
    CAPTURE(name);
    check_golden<double>(Cpu{}, name);
    check_golden<float>(Cpu{}, name);
    check_golden<double>(Reference{}, name);
    check_golden<float>(Reference{}, name);
  }
}

TEST_CASE_TEMPLATE("backward_adding adds to dx what backward assigns", B, Cpu, Reference) {
  for (const nn::Conv2dOptions& options : {nn::Conv2dOptions{.stride = 2}, nn::Conv2dOptions{.stride = 3, .groups = 2},
                                           nn::Conv2dOptions{.stride = 1, .bias = true}}) {
    nn::Conv2d<double> conv(6, 4, options);
    nn::Conv2d<double> expected = conv;
    const auto x = random_tensor<double>("x", {3, 6, 9, 10});
    const auto dy = random_tensor<double>("dy", conv.output_shape(x.shape()));
    const auto before = random_tensor<double>("before", x.shape());
    Tensor<double> dx(x.shape());
    expected.backward(B{}, x, dy, dx, {}, {.shortcut = before.view()});
    Tensor<double> found = before;
    Tensor<double> seen;
    conv.backward_adding(B{}, x, dy, found, seen);
    CHECK(relative_error(found, dx) <= 1e-14);
    CHECK(conv.weight.grad == expected.weight.grad);
    CHECK(conv.bias.grad == expected.bias.grad);
  }
  nn::Conv2d<double> wide(2, 2, {.kernel = 3, .padding = 1});
  Tensor<double> x({1, 2, 4, 4}, 1.0);
  Tensor<double> dx = x;
  Tensor<double> seen;
  CHECK_THROWS_WITH_AS(wide.backward_adding(B{}, x, x, dx, seen),
                       "recal: only the gradient of a 1x1 convolution without padding can be added, not with kernel 3 "
                       "and padding 1",
                       recal::error);
}

TEST_CASE("Conv2d assigns dx and adds to the parameters' gradients") {
  nn::Conv2d<double> conv(3, 4, {.kernel = 3, .stride = 2, .padding = 1, .bias = true});
  const auto x = random_tensor<double>("x", {2, 3, 5, 6});
  const auto dy = random_tensor<double>("dy", conv.output_shape(x.shape()));
  Tensor<double> dx(x.shape(), 1e6);
  conv.backward(Cpu{}, x, dy, dx);
  const Tensor<double> once = dx;
  const auto weight_once = conv.weight.grad;
  const auto bias_once = conv.bias.grad;
  conv.backward(Cpu{}, x, dy, dx);
  CHECK(relative_error(dx, once) == 0.0);
  for (std::size_t i = 0; i < weight_once.size(); ++i)
    CHECK(conv.weight.grad[i] == doctest::Approx(2 * weight_once[i]).epsilon(1e-12));
  for (std::size_t i = 0; i < bias_once.size(); ++i)
    CHECK(conv.bias.grad[i] == doctest::Approx(2 * bias_once[i]).epsilon(1e-12));
  conv.backward_parameters(Cpu{}, x, dy);
  for (std::size_t i = 0; i < weight_once.size(); ++i)
    CHECK(conv.weight.grad[i] == doctest::Approx(3 * weight_once[i]).epsilon(1e-12));
}

TEST_CASE("Conv2d's faults state both sides and write nothing") {
  nn::Conv2d<float> conv(6, 4, {.kernel = 3});
  Tensor<float> x(Shape{2, 5, 8, 8}, 1.0F);
  Tensor<float> y(Shape{2, 4, 6, 6}, 7.0F);
  const std::string channels = message_of([&] { conv.forward(Cpu{}, x, y); });
  CHECK(contains(channels, "takes 6 channels"));
  CHECK(contains(channels, "has 5"));
  CHECK(relative_error(y, Tensor<float>(y.shape(), 7.0F)) == 0.0);

  Tensor<float> small(Shape{2, 6, 2, 8}, 1.0F);
  CHECK(contains(message_of([&] { (void)conv.output_shape(small.shape()); }),
                 "does not fit its input (N=2, C=6, H=2, W=8)"));

  Tensor<float> right(Shape{2, 6, 8, 8}, 1.0F);
  Tensor<float> wrong(Shape{2, 4, 6, 5}, 7.0F);
  const std::string output = message_of([&] { conv.forward(Cpu{}, right, wrong); });
  CHECK(contains(output, "(N=2, C=4, H=6, W=5)"));
  CHECK(contains(output, "(N=2, C=4, H=6, W=6)"));
  CHECK(contains(message_of([&] { conv.backward(Cpu{}, right, wrong, right); }), "expected (N=2, C=4, H=6, W=6)"));
  CHECK(contains(message_of([&] { conv.backward(Cpu{}, right, y, x); }), "expected (N=2, C=6, H=8, W=8)"));
  for (const float gradient : conv.weight.grad) CHECK(gradient == 0.0F);

  CHECK(contains(message_of([] { nn::Conv2d<float>(6, 4, {.groups = 3}); }),
                 "from 6 to 4 channels cannot have 3 groups"));
  CHECK(contains(message_of([] { nn::Conv2d<float>(6, 4, {.stride = 0}); }), "stride 0"));
  CHECK(contains(message_of([] { nn::Conv2d<float>(0, 4); }), "from 0 to 4 channels"));
}

TEST_CASE("Conv2d: an empty batch gives an empty output and no gradients") {
  nn::Conv2d<float> conv(3, 4, {.kernel = 3, .padding = 1, .bias = true});
  Tensor<float> x(Shape{0, 3, 8, 8});
  Tensor<float> y(conv.output_shape(x.shape()));
  CHECK(y.shape() == Shape{0, 4, 8, 8});
  conv.forward(Cpu{}, x, y);
  conv.backward(Cpu{}, x, y, x);
  conv.forward(Reference{}, x, y);
  conv.backward(Reference{}, x, y, x);
  for (const float gradient : conv.weight.grad) CHECK(gradient == 0.0F);
}

TEST_CASE("Conv2d has PyTorch's names and He's first values, functions of the seed") {
  nn::Conv2d<float> conv(64, 128, {.kernel = 3, .bias = true});
  std::vector<std::string> names;
  for_each_parameter(conv, [&](const std::string& name, const auto&) { names.push_back(name); });
  CHECK(names == std::vector<std::string>{"weight", "bias"});
  CHECK(conv.weight.shape == std::vector<Index>{128, 64, 3, 3});
  CHECK(parameter_count(conv) == 128 * 64 * 9 + 128);
  CHECK(parameter_count(nn::Conv2d<float>(64, 128, {.groups = 64})) == 128);

  double sum = 0;
  double squares = 0;
  for (const float value : conv.weight.value) {
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  const auto count = static_cast<double>(conv.weight.size());
  const double expected = std::sqrt(2.0 / (9 * 128));
  CHECK(std::abs(sum / count) < 0.02 * expected);
  CHECK(std::sqrt(squares / count) == doctest::Approx(expected).epsilon(0.01));

  const auto before = conv.weight.value;
  conv.initialise(1, "");
  CHECK(conv.weight.value != before);
  conv.initialise(0, "");
  CHECK(conv.weight.value == before);
}

TEST_CASE("Conv2d with a start and a bias is that of the mapped tensor, forward and backward") {
  const Shape shape{2, 4, 9, 9};
  const auto x = random_tensor<double>("x", shape);
  const auto scale = random_tensor<double>("scale", {1, 1, 1, 4});
  const auto centre = random_tensor<double>("centre", {1, 1, 1, 4});
  const auto shift = random_tensor<double>("shift", {1, 1, 1, 4});
  const ConvStart<double> start{scale.data(), centre.data(), shift.data()};
  const Tensor<double> mapped = recal::testing::started(Cpu::Team{}, x, start);
  nn::Conv2d<double> conv(4, 6, {.kernel = 3, .stride = 2, .padding = 1, .bias = true});
  nn::Conv2d<double> expected = conv;
  Tensor<double> y(conv.output_shape(shape));
  Tensor<double> expected_y(y.shape());
  conv.forward(Cpu{}, x, y, conv.add_bias(), start);
  expected.forward(Cpu{}, mapped, expected_y);
  CHECK(relative_error(y, expected_y) == 0.0);
  Tensor<double> dx(shape);
  Tensor<double> expected_dx(shape);
  conv.backward(Cpu{}, x, y, dx, start);
  expected.backward(Cpu{}, mapped, y, expected_dx);
  CHECK(relative_error(dx, expected_dx) == 0.0);
  CHECK(conv.weight.grad == expected.weight.grad);
  CHECK(conv.bias.grad == expected.bias.grad);
}
