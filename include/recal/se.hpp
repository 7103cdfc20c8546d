// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <recal/gate/hard_sigmoid.hpp>
#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/mlp.hpp>
#include <recal/pool/mean.hpp>
#include <recal/recalibrate.hpp>

namespace recal {

/// How wide the bottleneck of SE is.
struct SeOptions {
  Index reduction = 16;    ///< R = max(1, C / reduction) ...
  Index reduced = 0;       ///< ... unless R is given here (timm rounds C / 16 to multiples of 8)
  bool bias = true;        ///< whether the two dense layers have biases
  std::uint64_t seed = 0;  ///< of the starting weights

  /// errors: a reduction or a reduced width below 1
  [[nodiscard]] Index width(Index channels) const { return bottleneck_width("SE", channels, reduction, reduced); }
};

/// Squeeze and excitation: each channel is scaled by what a small network makes of all means.
///   t = mean(x),   z = W2 max(0, W1 t + b1) + b2,   y = gate(z) x
/// Parameters: fc1.weight (R, C), fc1.bias (R), fc2.weight (C, R), fc2.bias (C).
/// The gate is Sigmoid or HardSigmoid (MobileNetV3's).
/// source: Hu, Shen, Sun, "Squeeze-and-Excitation Networks", CVPR 2018
template <class T = float, class G = Sigmoid>
class Se : public Recalibrate<Mean, Mlp<T>, G> {
  using Base = Recalibrate<Mean, Mlp<T>, G>;

 public:
  static constexpr std::string_view checkpoint_name = "se";

  explicit Se(Index channels, const SeOptions& options = {})
      : Base(channels, Mean{}, Mlp<T>(channels, options.width(channels), options.bias, true, options.seed), G{}) {}
};

}  // namespace recal
