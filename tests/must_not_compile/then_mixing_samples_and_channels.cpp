// SPDX-License-Identifier: Apache-2.0
// expected: recal: Then<First, Second>: one mixes samples and the other channels; no single walk serves both

#include <recal/integrate/channel_band.hpp>
#include <recal/integrate/channel_norm.hpp>
#include <recal/integrate/rectify.hpp>
#include <recal/integrate/then.hpp>

#ifdef RECAL_PASSING
using First = recal::Rectify;
#else
using First = recal::ChannelNorm<float>;
#endif

recal::Index mixing_of(recal::Then<First, recal::ChannelBand<float>>& chain) { return chain.in; }
