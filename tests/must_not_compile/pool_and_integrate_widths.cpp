// SPDX-License-Identifier: Apache-2.0
// expected: recal: Integrate::in must equal StylePool::width, the numbers per plane

#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/channel_wise.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/recalibrate.hpp>

#ifdef RECAL_PASSING
using Integrate = recal::ChannelWise<float, 2>;
#else
using Integrate = recal::ChannelWise<float, 3>;
#endif

recal::Recalibrate<recal::MeanStd, Integrate, recal::Sigmoid> module(8);
