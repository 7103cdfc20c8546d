// SPDX-License-Identifier: Apache-2.0
// expected: recal: Then<First, Second>: Second::in must equal First::out

#include <recal/integrate/channel_norm.hpp>
#include <recal/integrate/channel_wise.hpp>
#include <recal/integrate/then.hpp>

#ifdef RECAL_PASSING
using Second = recal::ChannelWise<float, 1>;
#else
using Second = recal::ChannelWise<float, 2>;
#endif

recal::Then<recal::ChannelNorm<float>, Second> chain{recal::ChannelNorm<float>(8), Second(8)};
