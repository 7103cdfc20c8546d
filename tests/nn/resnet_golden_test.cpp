// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/ge.hpp>
#include <recal/se.hpp>
#include <recal/srm.hpp>

#include "tests/support/resnet_golden.hpp"

using recal::nn::NoModule;
using recal::testing::check_resnet50;

TEST_CASE("ResNet-50 without a module equals PyTorch's") {
  check_resnet50<double, NoModule>(recal::Cpu{}, "none", recal::testing::double_bounds);
  check_resnet50<float, NoModule>(recal::Cpu{}, "none", recal::testing::float_bounds);
}

TEST_CASE("ResNet-50 with GE equals PyTorch's") {
  check_resnet50<double, recal::GeThetaMinus<double>>(recal::Cpu{}, "ge", recal::testing::double_bounds);
  check_resnet50<float, recal::GeThetaMinus<float>>(recal::Cpu{}, "ge", recal::testing::float_bounds);
}

TEST_CASE("ResNet-50 with SE equals PyTorch's") {
  check_resnet50<double, recal::Se<double>>(recal::Cpu{}, "se", recal::testing::double_bounds);
  check_resnet50<float, recal::Se<float>>(recal::Cpu{}, "se", recal::testing::float_bounds);
}

TEST_CASE("ResNet-50 with SRM equals PyTorch's") {
  check_resnet50<double, recal::Srm<double>>(recal::Cpu{}, "srm", recal::testing::double_bounds);
  check_resnet50<float, recal::Srm<float>>(recal::Cpu{}, "srm", recal::testing::float_srm_bounds);
}
