// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

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

/// Where a walk stands: one string that grows and shrinks. Its memory goes from one walk of a thread to the next, so
/// that a step of training allocates none.
class WalkPath {
 public:
  WalkPath() {
    path_.swap(spare());
    path_.clear();
  }
  WalkPath(const WalkPath&) = delete;
  WalkPath& operator=(const WalkPath&) = delete;
  ~WalkPath() { path_.swap(spare()); }

  [[nodiscard]] std::size_t size() const noexcept { return path_.size(); }
  [[nodiscard]] const std::string& with(std::string_view name) { return path_.append(name); }
  void enter(std::string_view name) {
    path_.append(name);
    if (!name.empty()) path_.push_back('.');
  }
  void back_to(std::size_t size) { path_.resize(size); }

 private:
  [[nodiscard]] static std::string& spare() {
    thread_local std::string memory;
    return memory;
  }

  std::string path_;
};

template <class F>
class Walker {
 public:
  Walker(F& f, WalkPath& path) : f_(f), path_(path) {}

  template <class Leaf>
    requires(is_parameter<std::remove_const_t<Leaf>> || is_state<std::remove_const_t<Leaf>>)
  void operator()(Leaf& leaf) {
    const std::size_t here = path_.size();
    f_(path_.with(leaf.name), leaf);
    path_.back_to(here);
  }

  template <class Child>
  void operator()(std::string_view name, Child& child) {
    const std::size_t here = path_.size();
    path_.enter(name);
    std::remove_const_t<Child>::visit(child, *this);
    path_.back_to(here);
  }

 private:
  F& f_;
  WalkPath& path_;
};

template <class F, class Leaf>
void call(F& f, const std::string& name, Leaf& leaf) {
  if constexpr (std::invocable<F&, const std::string&, Leaf&>)
    f(name, leaf);
  else
    f(leaf);
}

}  // namespace detail

/// Calls f(name, leaf) for every parameter and every state, in the order of declaration. The name lives until f
/// returns.
template <class Layer, class F>
void for_each_leaf(Layer& layer, F&& f) {
  detail::WalkPath path;
  detail::Walker walker(f, path);
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

}  // namespace recal
