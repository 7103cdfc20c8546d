// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/tensor.hpp>
#include <recal/core/visit.hpp>
#include <recal/io/names.hpp>
#include <recal/io/safetensors.hpp>

namespace recal::testing {

/// One case of tests/golden: `Golden g("srm_train_2x12x14x14")`.
class Golden {
 public:
  explicit Golden(const std::string& name)
      : name_(name),
        file_(io::SafetensorsFile::open(std::filesystem::path(RECAL_GOLDEN_DIR) / (name + ".safetensors"))) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool has(std::string_view tensor) const { return file_.has(tensor); }

  /// Names of all tensors, those with `prefix` only.
  [[nodiscard]] std::vector<std::string> names(std::string_view prefix = "") const {
    std::vector<std::string> result;
    for (const auto& [tensor, info] : file_.tensors())
      if (std::string_view(tensor).starts_with(prefix)) result.push_back(tensor);
    return result;
  }

  [[nodiscard]] std::string meta(std::string_view key) const {
    const auto found = file_.metadata().find(key);
    if (found == file_.metadata().end()) fail(name_, ": no metadata ", key);
    return found->second;
  }
  [[nodiscard]] bool has_meta(std::string_view key) const { return file_.metadata().contains(key); }
  [[nodiscard]] double number(std::string_view key) const { return std::stod(meta(key)); }

  [[nodiscard]] const std::vector<Index>& sizes(std::string_view tensor) const { return file_.tensor(tensor).shape; }

  template <class T>
  [[nodiscard]] std::vector<T> values(std::string_view tensor) const {
    return file_.read<T>(tensor);
  }

  /// (N, C, H, W) as it is; (N, C) becomes (N, C, 1, 1).
  [[nodiscard]] Shape shape(std::string_view tensor) const {
    const std::vector<Index>& s = sizes(tensor);
    check(s.size() == 2 || s.size() == 4, name_, ": ", tensor, " has ", s.size(), " sizes, expected 2 or 4");
    return {s[0], s[1], s.size() == 4 ? s[2] : 1, s.size() == 4 ? s[3] : 1};
  }

  template <class T>
  [[nodiscard]] Tensor<T> tensor(std::string_view name) const {
    Tensor<T> result(shape(name));
    file_.read_into(name, std::span<T>(result.data(), static_cast<std::size_t>(result.size())));
    return result;
  }

 private:
  std::string name_;
  io::SafetensorsFile file_;
};

/// The cases whose names begin with `prefix`, in alphabetical order; at least one.
[[nodiscard]] inline std::vector<std::string> golden_cases(const std::string& prefix) {
  std::vector<std::string> result;
  for (const auto& entry : std::filesystem::directory_iterator(RECAL_GOLDEN_DIR)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() == ".safetensors" && path.stem().string().starts_with(prefix))
      result.push_back(path.stem().string());
  }
  check(!result.empty(), "no golden case begins with ", prefix);
  std::sort(result.begin(), result.end());
  return result;
}

namespace detail {

/// All elements of a tensor, a view or a range of numbers, as double.
template <class X>
[[nodiscard]] std::vector<double> flat(const X& x) {
  std::vector<double> result;
  if constexpr (NchwTensor<X>) {
    const auto view = view_of(x);
    result.reserve(static_cast<std::size_t>(view.shape.size()));
    for (Index n = 0; n < view.shape.n; ++n)
      for (Index c = 0; c < view.shape.c; ++c)
        for (Index k = 0; k < view.shape.plane(); ++k) result.push_back(static_cast<double>(view.plane(n, c)[k]));
  } else {
    for (const auto& value : x) result.push_back(static_cast<double>(value));
  }
  return result;
}

template <class Values>
void copy_checked(const Golden& g, const std::string& from, const std::vector<Index>& sizes, Values& to) {
  check(io::same_sizes(sizes, g.sizes(from)), g.name(), ": ", from, " has sizes ", io::shape_text(g.sizes(from)),
        ", the layer's are ", io::shape_text(sizes));
  const auto values = g.values<typename Values::value_type>(from);
  std::copy(values.begin(), values.end(), to.begin());
}

}  // namespace detail

/// max |found - expected| / max |expected|, over tensors, views or ranges of numbers. Infinite where the sizes differ
/// or any number is not finite. Where all expected numbers are 0: max |found|.
template <class Found, class Expected>
[[nodiscard]] double relative_error(const Found& found, const Expected& expected) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const std::vector<double> a = detail::flat(found);
  const std::vector<double> b = detail::flat(expected);
  if (a.size() != b.size()) return infinite;
  double error = 0;
  double scale = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return infinite;
    error = std::max(error, std::abs(a[i] - b[i]));
    scale = std::max(scale, std::abs(b[i]));
  }
  return scale > 0 ? error / scale : error;
}

/// Copies param/<name> and before/<name> into the layer. Every array of the layer must be in the file (counts of
/// batches excepted) and every such array of the file in the layer.
template <class Layer>
void load_parameters(Layer& layer, const Golden& g) {
  std::size_t used = 0;
  for_each_leaf(layer, [&](const std::string& name, auto& leaf) {
    using Leaf = std::remove_cvref_t<decltype(leaf)>;
    const std::string from = (recal::detail::is_parameter<Leaf> ? "param/" : "before/") + name;
    if (!g.has(from) && io::is_batch_count(name)) return;
    check(g.has(from), g.name(), ": has no ", from, ", which the layer wants");
    detail::copy_checked(g, from, leaf.shape, leaf.value);
    ++used;
  });
  const std::size_t all = g.names("param/").size() + g.names("before/").size();
  check(used == all, g.name(), ": has ", all, " parameters and states, the layer took ", used);
}

/// CHECKs every parameter's gradient against grad/<name>, relative to the tensor's largest magnitude.
template <class Layer>
void check_gradients(const Layer& layer, const Golden& g, double tolerance) {
  std::size_t compared = 0;
  for_each_parameter(layer, [&](const std::string& name, const auto& parameter) {
    const double error = relative_error(parameter.grad, g.values<double>("grad/" + name));
    CHECK_MESSAGE(error <= tolerance, g.name(), ": grad/", name, " is off by ", error, ", allowed ", tolerance);
    ++compared;
  });
  CHECK_MESSAGE(compared == g.names("grad/").size(), g.name(), ": gradients compared and in the file");
}

/// CHECKs every state against after/<name>.
template <class Layer>
void check_states(const Layer& layer, const Golden& g, double tolerance) {
  std::size_t compared = 0;
  for_each_state(layer, [&](const std::string& name, const auto& state) {
    if (!g.has("after/" + name) && io::is_batch_count(name)) return;
    const double error = relative_error(state.value, g.values<double>("after/" + name));
    CHECK_MESSAGE(error <= tolerance, g.name(), ": after/", name, " is off by ", error, ", allowed ", tolerance);
    ++compared;
  });
  CHECK_MESSAGE(compared == g.names("after/").size(), g.name(), ": states compared and in the file");
}

/// CHECKs a tensor (y, dx, ...) against tensor `name` of the case.
template <class Found>
void check_tensor(const Found& found, const Golden& g, std::string_view name, double tolerance) {
  const double error = relative_error(found, g.values<double>(name));
  CHECK_MESSAGE(error <= tolerance, g.name(), ": ", name, " is off by ", error, ", allowed ", tolerance);
}

}  // namespace recal::testing
