// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/ptx/access.hpp"
#include "tests/support/ptx/decoder.hpp"

namespace recal::testing::ptx::decode {

/// shfl.sync.mode.b32 d|p, a, b, c, mask: from = {mask, a, b, c}
inline void shfl(Decoder& d) {
  if (!d.take("sync")) d.refuse("shfl needs .sync");
  d.out.collective = d.take("idx")    ? Collective::shuffle_index
                     : d.take("up")   ? Collective::shuffle_up
                     : d.take("down") ? Collective::shuffle_down
                     : d.take("bfly") ? Collective::shuffle_butterfly
                                      : Collective::none;
  const Type type = d.type();
  d.to(type);
  d.source(1, Type::u32);
  d.source(2, Type::u32);
  d.source(3, Type::u32);
  d.source(0, Type::u32);
  if (type == Type::u32 && d.out.collective != Collective::none) d.out.run = wait_for_warp;
}

/// vote.sync.mode.type d, p, mask: from = {mask, p}
inline void vote(Decoder& d) {
  if (!d.take("sync")) d.refuse("vote needs .sync");
  d.out.collective = d.take("all")      ? Collective::vote_all
                     : d.take("any")    ? Collective::vote_any
                     : d.take("uni")    ? Collective::vote_uniform
                     : d.take("ballot") ? Collective::ballot
                                        : Collective::none;
  const bool ballot = d.out.collective == Collective::ballot;
  const Type type = d.type();
  d.to(type);
  d.source(1, Type::pred);
  d.source(0, Type::u32);
  if (type == (ballot ? Type::u32 : Type::pred) && d.out.collective != Collective::none) d.out.run = wait_for_warp;
}

/// match.any.sync.b32 d, a, mask and redux.sync.op.type d, a, mask: from = {mask, a}
inline void match_or_reduce(Decoder& d) {
  if (!d.take("sync")) d.refuse("only .sync is known");
  d.out.collective = d.take("any")   ? Collective::match_any
                     : d.take("add") ? Collective::reduce_add
                     : d.take("and") ? Collective::reduce_and
                     : d.take("or")  ? Collective::reduce_or
                     : d.take("xor") ? Collective::reduce_xor
                     : d.take("min") ? Collective::reduce_min
                     : d.take("max") ? Collective::reduce_max
                                     : Collective::none;
  const Type type = d.type();
  d.out.negated = type == Type::s32;
  d.to(type);
  d.source(1, type);
  d.source(0, Type::u32);
  const bool narrow = type == Type::u32 || type == Type::s32;
  if (narrow && d.out.collective != Collective::none) d.out.run = wait_for_warp;
}

}  // namespace recal::testing::ptx::decode
