// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <recal/core/parameter.hpp>

namespace recal {

/// A layer lists what it holds in one static member:
///
///   template <class Self, class V>
///   static void visit(Self& self, V&& v) {
///     v(self.weight);            a BasicParameter or BasicState of its own
///     v("bn", self.bn);          a child, whose names get the prefix "bn."
///   }
///
/// Everything else (optimisers, checkpoints, counting) is built on the four functions below.
namespace detail {

template <class T>
inline constexpr bool is_parameter = false;
template <class T>
inline constexpr bool is_parameter<BasicParameter<T>> = true;

template <class T>
inline constexpr bool is_state = false;
template <class T>
inline constexpr bool is_state<BasicState<T>> = true;

template <class F>
class Walker {
 public:
  Walker(F& f, std::string prefix) : f_(f), prefix_(std::move(prefix)) {}

  template <class Leaf>
    requires(is_parameter<std::remove_const_t<Leaf>> || is_state<std::remove_const_t<Leaf>>)
  void operator()(Leaf& leaf) { f_(prefix_ + leaf.name, leaf); }

  template <class Child>
  void operator()(std::string_view name, Child& child) {
    Walker inner(f_, name.empty() ? prefix_ : prefix_ + std::string(name) + '.');
    std::remove_const_t<Child>::visit(child, inner);
  }

 private:
  F& f_;
  std::string prefix_;
};

template <class F, class Leaf>
void call(F& f, const std::string& name, Leaf& leaf) {
  if constexpr (std::invocable<F&, const std::string&, Leaf&>)
    f(name, leaf);
  else
    f(leaf);
}

}  // namespace detail

/// Calls f(name, leaf) for every parameter and every state, in the order of declaration.
template <class Layer, class F>
void for_each_leaf(Layer& layer, F&& f) {
  detail::Walker walker(f, std::string{});
  std::remove_const_t<Layer>::visit(layer, walker);
}

/// Calls f(parameter) or f(full_name, parameter) for every learnable array.
template <class Layer, class F>
void for_each_parameter(Layer& layer, F&& f) {
  for_each_leaf(layer, [&f](const std::string& name, auto& leaf) {
    if constexpr (detail::is_parameter<std::remove_cvref_t<decltype(leaf)>>) detail::call(f, name, leaf);
  });
}

/// Calls f(state) or f(full_name, state) for every array that is kept but not learned.
template <class Layer, class F>
void for_each_state(Layer& layer, F&& f) {
  for_each_leaf(layer, [&f](const std::string& name, auto& leaf) {
    if constexpr (detail::is_state<std::remove_cvref_t<decltype(leaf)>>) detail::call(f, name, leaf);
  });
}

/// The number of learnable numbers.
template <class Layer>
[[nodiscard]] Index parameter_count(const Layer& layer) {
  Index count = 0;
  for_each_parameter(layer, [&count](const auto& parameter) { count += parameter.size(); });
  return count;
}

/// ensures: every gradient is zero
template <class Layer>
void zero_gradients(Layer& layer) {
  for_each_parameter(layer, [](auto& parameter) { parameter.grad.assign(parameter.grad.size(), {}); });
}

}  // namespace recal
