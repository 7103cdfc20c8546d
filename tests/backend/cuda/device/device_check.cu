// SPDX-License-Identifier: Apache-2.0
#include "device_check.hpp"

#include <span>
#include <vector>

#include <recal/backend/cuda/available.hpp>
#include <recal/backend/cuda/cross_entropy.hpp>
#include <recal/backend/cuda/pool2d.hpp>
#include <recal/backend/cuda/relu.hpp>
#include <recal/backend/cuda/sgd.hpp>
#include <recal/backend/cuda/stream.hpp>

#include "device_modules.hpp"

namespace recal::device_check {

namespace {

template <class T>
cuda::DeviceTensor<T> to_device(const cuda::Stream& stream, const Tensor<float>& from) {
  Tensor<T> narrow(from.shape());
  for (Index i = 0; i < from.size(); ++i) narrow.data()[i] = static_cast<T>(from.data()[i]);
  return {stream, narrow};
}

template <class T>
Tensor<float> to_host(const cuda::Stream& stream, const cuda::DeviceTensor<T>& from) {
  const Tensor<T> narrow = from.to_host(stream);
  Tensor<float> wide(narrow.shape());
  for (Index i = 0; i < wide.size(); ++i) wide.data()[i] = static_cast<float>(narrow.data()[i]);
  return wide;
}

template <class T, class Module>
Result run(const cuda::Stream& stream, const Job& job, Module unit) {
  for_each_leaf(unit, [&](const std::string& name, auto& leaf) {
    const Buffer<float>& value = job.arrays.at(name);
    check(leaf.size() == static_cast<Index>(value.size()), name, " has ", leaf.size(), " elements on the device");
    upload(stream, std::span<const float>(value), leaf.value);
  });
  const auto x = to_device<T>(stream, job.x);
  const auto dy = to_device<T>(stream, job.dy);
  cuda::DeviceTensor<T> y(stream, job.x.shape());
  cuda::DeviceTensor<T> dx(stream, job.x.shape());
  Result result;
  typename Module::Tape tape;
  unit.infer(stream, x, y);
  result.inferred = to_host(stream, y);
  if (job.training)
    unit.forward(stream, x, y, tape);
  else
    unit.forward_frozen(stream, x, y, tape);
  unit.backward(stream, x, dy, dx, tape);
  result.y = to_host(stream, y);
  result.dx = to_host(stream, dx);
  for_each_parameter(unit, [&](const std::string& name, const cuda::DeviceParameter& p) {
    result.gradients[name] = download(stream, p.grad);
  });
  for_each_state(unit, [&](const std::string& name, const cuda::DeviceState& s) {
    result.states[name] = download(stream, s.value);
  });
  return result;
}

/// The number of elements of an array, 1 where the module has none of that name.
Index size_of(const Arrays& arrays, const std::string& name) {
  const auto found = arrays.find(name);
  return found == arrays.end() ? 1 : static_cast<Index>(found->second.size());
}

struct OneArray {
  cuda::DeviceParameter array;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.array);
  }
};

Buffer<float> stepped(const cuda::Stream& stream, const Tensor<float>& x) {
  OneArray layer{{stream, Parameter{"array", {x.size()}}}};
  const std::span<const float> values(x.data(), static_cast<std::size_t>(x.size()));
  upload(stream, values, layer.array.value);
  upload(stream, values, layer.array.grad);
  cuda::Sgd sgd(stream, layer, {.nesterov = true});
  sgd.step(stream, layer, 0.1);
  sgd.step(stream, layer, 0.1);
  return download(stream, layer.array.value);
}

}  // namespace

Result run_on_device(const Job& job) {
  const cuda::Stream stream;
  Result result;
  with_module(stream, job.module, job.x.shape().c, size_of(job.arrays, "fc1.bias"), size_of(job.arrays, "conv.weight"),
              [&](auto unit) {
                if (job.element == "half")
                  result = run<half>(stream, job, unit);
                else if (job.element == "bfloat16")
                  result = run<bfloat16>(stream, job, unit);
                else
                  result = run<float>(stream, job, unit);
              });
  return result;
}

Layers run_layers_on_device(const Tensor<float>& host) {
  const cuda::Stream stream;
  const Window window{3, 2, 1};
  const Shape shape = host.shape();
  const Shape pooled = nn::detail::pooled_shape(window, shape);
  const cuda::DeviceTensor<float> x(stream, host);
  cuda::DeviceTensor<float> y(stream, shape);
  cuda::DeviceTensor<float> small(stream, pooled);
  cuda::DeviceTensor<float> mean(stream, Shape{shape.n, shape.c, 1, 1});
  Layers result;
  cuda::relu(stream, x, y);
  result.relu = y.to_host(stream);
  cuda::relu_backward(stream, y, x, y);
  result.relu_dx = y.to_host(stream);
  cuda::MaxPool2d::Tape tape;
  cuda::max_pool2d(stream, x, small, window, tape);
  result.max = small.to_host(stream);
  cuda::max_pool2d_backward(stream, small, y, window, tape);
  result.max_dx = y.to_host(stream);
  cuda::avg_pool2d(stream, x, small, window);
  result.avg = small.to_host(stream);
  cuda::avg_pool2d_backward(stream, small, y, window);
  result.avg_dx = y.to_host(stream);
  cuda::global_avg_pool(stream, x, mean);
  result.mean = mean.to_host(stream);
  cuda::global_avg_pool_backward(stream, mean, y);
  result.mean_dx = y.to_host(stream);
  std::vector<Index> labels;
  for (Index n = 0; n < shape.n; ++n) labels.push_back(n % shape.c);
  result.loss = cuda::cross_entropy(stream, mean, labels, mean, 0.1);
  result.logits_dx = mean.to_host(stream);
  result.stepped = stepped(stream, host);
  return result;
}

bool has_card() { return cuda::available(); }

}  // namespace recal::device_check
