// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A function of which there is one body, whoever calls it: compiled once more in another place, the same formula may
/// be contracted to other fused multiply-adds. Not inlined, and not copied for some arguments either (which clang++
/// does not do).
#if defined(__clang__)
#define RECAL_ONE_BODY [[gnu::noinline]]
#else
#define RECAL_ONE_BODY [[gnu::noinline, gnu::noclone]]
#endif
