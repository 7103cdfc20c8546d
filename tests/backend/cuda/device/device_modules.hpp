// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <recal/backend/cuda/modules.hpp>

namespace recal::device_check {

/// f(module) with the module of that name. `reduced` is SE's width, `taps` ECA's.
template <cuda::Machine M, class F>
void with_module(const M& m, std::string_view name, Index channels, Index reduced, Index taps, const F& f) {
  if (name == "SRM") return f(cuda::Srm(m, channels));
  if (name == "SE") return f(cuda::Se<>(m, channels, reduced));
  if (name == "GE") return f(cuda::GlobalGeThetaMinus(m, channels));
  if (name == "ECA") return f(cuda::Eca(m, channels, taps));
  if (name == "GCT") return f(cuda::Gct(m, channels));
  if (name == "GRN") return f(cuda::Grn(m, channels));
  fail("no module is called ", name);
}

}  // namespace recal::device_check
