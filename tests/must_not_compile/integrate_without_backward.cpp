// SPDX-License-Identifier: Apache-2.0
// expected: recal: the second argument of Recalibrate must be an Integrate: mixing, in, out, Tape, infer, forward and
// backward

#include <recal/gate/sigmoid.hpp>
#include <recal/pool/mean.hpp>
#include <recal/recalibrate.hpp>

struct Copy {
  static constexpr recal::Mixing mixing = recal::Mixing::none;
  static constexpr recal::Index in = 1;
  static constexpr recal::Index out = 1;
  using Tape = recal::NoTape;

  void infer(recal::Index, std::span<const double> t, std::span<double> z) const { z[0] = t[0]; }
  void forward(recal::Index, std::span<const double> t, std::span<double> z, Tape&) { z[0] = t[0]; }
#ifdef RECAL_PASSING
  void backward(recal::Index, std::span<const double>, std::span<const double> dz, std::span<double> dt, Tape&) {
    dt[0] = dz[0];
  }
#endif
};

recal::Recalibrate<recal::Mean, Copy, recal::Sigmoid> module(8, {}, {});
