// SPDX-License-Identifier: Apache-2.0
#include <recal/core/one_body.hpp>

#include <doctest/doctest.h>

namespace {

/// Where this call's own frame is: the caller's where the body was put in the caller's place.
RECAL_ONE_BODY inline void* own_frame() { return __builtin_frame_address(0); }

}  // namespace

TEST_CASE("a function of one body is called, however short it is") { CHECK(own_frame() != __builtin_frame_address(0)); }
