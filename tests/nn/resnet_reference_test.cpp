// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/reference/backend.hpp>
#include <recal/ge.hpp>
#include <recal/se.hpp>
#include <recal/srm.hpp>

#include "tests/support/resnet_golden.hpp"

using recal::nn::NoModule;
using recal::testing::check_resnet50;

namespace {

/// One pass: the plain loops take seconds for it.
constexpr recal::testing::Bounds one_pass{1e-7, 1e-7, 1e-7, 0.0, 0.0};

}  // namespace

TEST_CASE("ResNet-50 without a module equals PyTorch's on the reference backend") {
  check_resnet50<double, NoModule>(recal::Reference{}, "none", one_pass);
}

TEST_CASE("ResNet-50 with GE equals PyTorch's on the reference backend") {
  check_resnet50<double, recal::GeThetaMinus<double>>(recal::Reference{}, "ge", one_pass);
}

TEST_CASE("ResNet-50 with SE equals PyTorch's on the reference backend") {
  check_resnet50<double, recal::Se<double>>(recal::Reference{}, "se", one_pass);
}

TEST_CASE("ResNet-50 with SRM equals PyTorch's on the reference backend") {
  check_resnet50<double, recal::Srm<double>>(recal::Reference{}, "srm", one_pass);
}
