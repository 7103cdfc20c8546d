// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "workloads.hpp"

namespace bench {

/// Makes the call that a convolution is held against: `product` is forward, data or weight. Empty where there is none.
inline std::function<std::function<void()>(const std::string& product, const Layer& layer)> convolution_peer;

/// How long the threads of OpenMP wait for more to do, at the core's expense, at GCC's default.
inline constexpr std::chrono::milliseconds peer_spins{20};

}  // namespace bench
