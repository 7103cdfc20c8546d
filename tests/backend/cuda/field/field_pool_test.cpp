// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/field/field_pool.hpp>

#include <doctest/doctest.h>

#include <recal/backend/cuda/field/gather_depthwise.hpp>
#include <recal/backend/cuda/field/gather_mean.hpp>
#include <recal/pool/mean.hpp>

using namespace recal;

namespace {

struct LargeView {
  std::vector<float> gates;  // no kernel can take it
};

struct HostView : cuda::GatherMean {
  using View = LargeView;
  [[nodiscard]] View view(const Shape&, const Tape&) const { return {}; }
};

}  // namespace

TEST_CASE("what is a field pool on a device and what is not") {
  static_assert(cuda::DeviceFieldPool<cuda::GatherMean>);
  static_assert(cuda::DeviceFieldPool<cuda::GatherDepthwise>);
  static_assert(!cuda::DeviceFieldPool<Mean>);
  static_assert(!cuda::DeviceFieldPool<HostView>);
}
