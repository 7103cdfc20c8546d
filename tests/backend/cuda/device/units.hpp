// SPDX-License-Identifier: Apache-2.0
// What is compared and measured, the same text for the card and for the processor: modules, residual tails and batch
// norms behind one interface. `of` is one side: OnDevice (on_device.hpp) or OnProcessor (on_processor.hpp).
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <recal/core/error.hpp>
#include <recal/core/shape.hpp>
#include <recal/fused/tail_module.hpp>
#include <recal/nn/batch_norm.hpp>
#include <recal/pool/gather_depthwise.hpp>

namespace recal::device_check {

/// The tensors of a pass. `Any` is a DeviceTensor, or a Tensor.
template <class Any>
struct PassTensors {
  Any x;
  Any shortcut;
  Any dy;
  Any inferred{};
  Any y{};
  Any dshortcut{};
  Any dx{};
};

/// How many tensors a pass has to move if nothing stays in a cache.
struct Moved {
  double infer;
  double forward;
  double backward;
};

/// y = module(x)
template <class Side, class Gating>
struct ModuleUnit {
  static constexpr Moved moved{3, 3, 5};  // x twice, y; x and dy twice, dx
  static constexpr bool has_shortcut = false;

  Gating gating;
  typename Gating::Tape tape{};
  typename Gating::Tape workspace{};

  template <class Tensors>
  void infer(const Side& of, Tensors& t) {
    of.infer(gating, t.x, t.inferred, workspace);
  }
  template <class Tensors>
  void forward(const Side& of, Tensors& t, Mode mode) {
    mode == Mode::train ? gating.forward(of.machine, t.x, t.y, tape)
                        : gating.forward_frozen(of.machine, t.x, t.y, tape);
  }
  template <class Tensors>
  void backward(const Side& of, Tensors& t) {
    gating.backward(of.machine, t.x, t.dy, t.dx, tape);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v("", self.gating);
  }
};

/// y = max(0, module(norm(x)) + shortcut); at inference without the norm, which is part of a convolution there.
template <class Side, class Gating>
struct TailUnit {
  static constexpr Moved moved{4, 4, 7};  // x twice, shortcut, y; x twice, y, dy, dshortcut twice, dx
  static constexpr bool has_shortcut = true;

  typename Side::Norm norm;
  Gating gating;
  typename Side::Norm::Tape norm_tape{};
  typename Gating::Tape tape{};
  typename Gating::Tape workspace{};
  typename Side::TailTape tail_tape{};
  typename Side::TailTape tail_workspace{};

  template <class Tensors>
  void infer(const Side& of, Tensors& t) {
    of.infer_tail(gating, t.x, t.shortcut, t.inferred, workspace, tail_workspace);
  }
  template <class Tensors>
  void forward(const Side& of, Tensors& t, Mode mode) {
    tail().forward(of.machine, of.read(t.x), of.read(t.shortcut), t.y.view(), mode);
  }
  template <class Tensors>
  void backward(const Side& of, Tensors& t) {
    tail().backward(of.machine, of.read(t.x), of.read(t.y), of.read(t.dy), t.dshortcut.view(), t.dx.view());
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v("bn", self.norm);
    v("rclb", self.gating);
  }

 private:
  [[nodiscard]] auto tail() { return typename Side::template Tail<Gating>(norm, gating, norm_tape, tape, tail_tape); }
};

/// y = norm(x), or max(0, norm(x))
template <class Side, bool rectifies>
struct NormUnit {
  static constexpr Moved moved{2, 3, rectifies ? 7.0 : 5.0};  // x, y; x twice, y; x and dy twice, dx (y, dx once more)
  static constexpr bool has_shortcut = false;
  static constexpr auto activation = rectifies ? nn::Activation::relu : nn::Activation::none;

  typename Side::Norm norm;
  typename Side::Norm::Tape tape{};

  template <class Tensors>
  void infer(const Side& of, Tensors& t) {
    norm.infer(of.machine, t.x, t.inferred, activation);
  }
  template <class Tensors>
  void forward(const Side& of, Tensors& t, Mode mode) {
    mode == Mode::train ? norm.forward(of.machine, t.x, t.y, tape, activation)
                        : norm.forward_frozen(of.machine, t.x, t.y, tape, activation);
  }
  template <class Tensors>
  void backward(const Side& of, Tensors& t) {
    if constexpr (rectifies)
      norm.backward_relu(of.machine, t.x, t.y, t.dy, t.dx, tape);
    else
      norm.backward(of.machine, t.x, t.dy, t.dx, tape);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v("bn", self.norm);
  }
};

/// y = max(0, norm(x) + shortcut), a residual tail without a module.
template <class Side>
struct PlainTailUnit {
  static constexpr Moved moved{3, 4, 7};  // x, shortcut, y; x twice, shortcut, y; as TailUnit
  static constexpr bool has_shortcut = true;

  typename Side::Norm norm;
  typename Side::Norm::Tape tape{};

  template <class Tensors>
  void infer(const Side& of, Tensors& t) {
    norm.infer_add_relu(of.machine, t.x, t.shortcut, t.inferred);
  }
  template <class Tensors>
  void forward(const Side& of, Tensors& t, Mode mode) {
    mode == Mode::train ? norm.forward_add_relu(of.machine, t.x, t.shortcut, t.y, tape)
                        : norm.forward_frozen_add_relu(of.machine, t.x, t.shortcut, t.y, tape);
  }
  template <class Tensors>
  void backward(const Side& of, Tensors& t) {
    norm.backward_add_relu(of.machine, t.x, t.y, t.dy, t.dshortcut, t.dx, tape);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v("bn", self.norm);
  }
};

inline constexpr std::string_view module_names[] = {"SRM", "SE", "GE", "ECA", "GCT", "GRN"};
inline constexpr std::string_view tail_names[] = {"SRM tail", "SE tail", "GE tail", "plain tail"};
inline constexpr std::string_view norm_names[] = {"norm", "norm relu"};
inline constexpr std::string_view field_names[] = {"GE- 2",   "GE- 4",    "GE-th 0",  "GE-th 2",
                                                   "GE-th 4", "GE-th+ 0", "GE-th+ 2", "GE-th+ 4"};

namespace detail {

template <class Side, class Gating, class F>
void with_module(const Side&, Gating gating, const F& f) {
  f(ModuleUnit<Side, Gating>{std::move(gating)});
}

template <class Side, class Gating, class F>
void with_tail(const Side& of, Gating gating, const F& f) {
  const Index channels = gating.channels();
  f(TailUnit<Side, Gating>{of.norm(channels), std::move(gating)});
}

}  // namespace detail

/// f(unit) with the unit of that name for tensors of shape x. errors: a name that none has
template <class Side, class F>
void with_unit(const Side& of, std::string_view name, const Shape& x, const F& f) {
  const Index c = x.c;
  const auto gather = [&x](Index extent) { return GatherOptions{.extent = extent, .height = x.h, .width = x.w}; };
  if (name == "SRM") return detail::with_module(of, of.srm(c), f);
  if (name == "SE") return detail::with_module(of, of.se(c), f);
  if (name == "GE") return detail::with_module(of, of.ge(c), f);
  if (name == "ECA") return detail::with_module(of, of.eca(c), f);
  if (name == "GCT") return detail::with_module(of, of.gct(c), f);
  if (name == "GRN") return detail::with_module(of, of.grn(c), f);
  if (name == "SRM tail") return detail::with_tail(of, of.srm(c), f);
  if (name == "SE tail") return detail::with_tail(of, of.se(c), f);
  if (name == "GE tail") return detail::with_tail(of, of.ge(c), f);
  if (name == "plain tail") return f(PlainTailUnit<Side>{of.norm(c)});
  if (name == "norm") return f(NormUnit<Side, false>{of.norm(c)});
  if (name == "norm relu") return f(NormUnit<Side, true>{of.norm(c)});
  for (const Index extent : {0, 2, 4}) {
    const std::string with_extent = ' ' + std::to_string(extent);
    if (name == "GE-" + with_extent) return detail::with_module(of, of.ge_minus(c, extent), f);
    if (name == "GE-th" + with_extent) return detail::with_module(of, of.ge_theta(c, gather(extent)), f);
    if (name == "GE-th+" + with_extent) return detail::with_module(of, of.ge_plus(c, gather(extent)), f);
  }
  fail("no unit is called ", name);
}

}  // namespace recal::device_check
