// SPDX-License-Identifier: Apache-2.0
// SRM on a buffer that the program owns: inference in place, then one training step by hand.
#include <cstdio>
#include <vector>

#include <recal/srm.hpp>

int main() {
  const recal::Shape shape{.n = 8, .c = 16, .h = 14, .w = 14};
  std::vector<float> buffer(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<float>(i % 17) - 8.0F;
  const recal::TensorView x{buffer.data(), shape};

  recal::Srm<> srm(shape.c);
  srm.infer(x, x);  // in place; a fresh SRM halves everything
  std::printf("after inference  x[1] = %g\n", static_cast<double>(buffer[1]));

  recal::Tensor<float> y(shape);
  recal::Tensor<float> dy(shape, 1.0F);
  recal::Tensor<float> dx(shape);
  recal::Srm<>::Tape tape;
  srm.forward(x, y, tape);        // batch statistics, fills the tape
  srm.backward(x, dy, dx, tape);  // dx assigned, parameter gradients added
  recal::for_each_parameter(srm, [](const std::string& name, recal::Parameter& p) {
    for (std::size_t i = 0; i < p.value.size(); ++i) p.value[i] -= 0.01F * p.grad[i];
    std::printf("%-10s %4lld numbers, decay %s\n", name.c_str(), static_cast<long long>(p.size()),
                p.decay ? "on" : "off");
  });
  srm.forward(x, y, tape);
  std::printf("after one step   y[1] / x[1] = %g\n", static_cast<double>(y.data()[1] / buffer[1]));
}
