// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tests/support/ptx/access.hpp"
#include "tests/support/ptx/decoder.hpp"

namespace recal::testing::ptx::decode {

using Loadable = Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, std::int8_t, std::int16_t,
                       std::int32_t, std::int64_t, float, double>;

/// What says only how caches and other threads are treated, which makes no difference here.
inline void cache_hints(Decoder& d) {
  d.take_any_of({"weak", "volatile", "relaxed", "acquire", "release", "cta", "gpu", "sys", "nc", "ca", "cg", "cs", "lu",
                 "cv", "wb", "wt"});
  d.take_prefixed("L1::");
  d.take_prefixed("L2::");
}

inline std::string_view take_space(Decoder& d) {
  if (d.take("shared::cta")) return "shared";
  for (const std::string_view space : {"global", "const", "shared", "param", "local"})
    if (d.take(space)) return space;
  return "generic";
}

inline std::size_t take_vector_length(Decoder& d) {
  if (d.take("v2")) return 2;
  if (d.take("v4")) return 4;
  return d.take("v8") ? 8 : 1;
}

inline void ld(Decoder& d) {
  cache_hints(d);
  const std::string_view space = take_space(d);
  const std::size_t count = take_vector_length(d);
  const Type type = d.type();
  const Operand& to = d.next();
  d.vector(to, type, count);
  d.address(space);
  d.out.run = pick(Loadable{}, type, [&]<class T>() -> Handler {
    if (space == "local") return local_access;
    if (space == "global") return load<T, Space::global>;
    if (space == "const") return load<T, Space::constant>;
    if (space == "shared") return load<T, Space::shared>;
    if (space == "param") return load<T, Space::param>;
    return load<T, Space::generic>;
  });
}

inline void st(Decoder& d) {
  cache_hints(d);
  const std::string_view space = take_space(d);
  const std::size_t count = take_vector_length(d);
  const Type type = d.type();
  d.address(space);
  d.vector(d.next(), type, count);
  d.out.run = pick(Loadable{}, type, [&]<class T>() -> Handler {
    if (space == "local") return local_access;
    if (space == "global") return store<T, Space::global>;
    if (space == "shared") return store<T, Space::shared>;
    if (space == "generic") return store<T, Space::generic>;
    return nullptr;
  });
}

inline void cvta(Decoder& d) {
  const bool to_space = d.take("to");
  const std::string_view space = take_space(d);
  const Type type = d.type();
  d.to(type);
  d.source(0, type);
  if (type != Type::u64) return;
  if (space == "global" || space == "const") d.out.run = move<std::uint64_t>;
  if (space == "shared") d.out.run = to_space ? convert_shared_address<true> : convert_shared_address<false>;
  if (space == "local") d.out.run = local_access;
}

inline Handler pack_handler(std::size_t bits, std::size_t parts, bool unpacks) {
  switch (bits / parts) {
    case 8:
      return unpacks ? unpack<std::uint8_t> : pack<std::uint8_t>;
    case 16:
      return unpacks ? unpack<std::uint16_t> : pack<std::uint16_t>;
    case 32:
      return unpacks ? unpack<std::uint32_t> : pack<std::uint32_t>;
    default:
      return nullptr;
  }
}

inline void mov_vector(Decoder& d, Type type) {
  const std::size_t bits = type == Type::u64 ? 64 : type == Type::u32 ? 32 : 16;
  const bool unpacks = d.peek().kind == Operand::Kind::list;
  if (unpacks) {
    const Operand& parts = d.next();
    d.vector(parts, Type::u16, parts.parts.size());
    d.source(0, type);
  } else {
    d.to(type);
    const Operand& parts = d.next();
    d.vector(parts, Type::u16, parts.parts.size());
  }
  d.out.run = pack_handler(bits, d.out.count, unpacks);
}

inline void mov(Decoder& d) {
  const Type type = d.type();
  const bool to_list = d.peek().kind == Operand::Kind::list;
  if (to_list || d.peek_second().kind == Operand::Kind::list) return mov_vector(d, type);
  d.to(type);
  d.source(0, type);
  using Movable =
      Types<std::uint16_t, std::uint32_t, std::uint64_t, std::int16_t, std::int32_t, std::int64_t, float, double, Pred>;
  d.out.run = pick(Movable{}, type, []<class T>() -> Handler { return move<T>; });
}

inline void bra(Decoder& d) {
  d.take("uni");
  d.out.offset = d.label(d.next().name);
  d.out.run = branch;
}

inline void brx(Decoder& d) {
  if (!d.take("idx")) d.refuse("brx needs .idx");
  d.take("uni");
  d.source(0, Type::u32);
  d.branch_targets = d.targets(d.next().name);
  d.out.run = branch_table;
}

inline void ret(Decoder& d) {
  d.take("uni");
  d.out.run = leave;
}
inline void trap(Decoder& d) { d.out.run = ptx::trap; }

/// Threads run one after another: what orders their accesses does nothing.
inline void fence(Decoder& d) {
  d.take_any_of({"acq_rel", "sc", "gl", "cta", "gpu", "sys"});
  d.out.run = nothing;
}

/// bar.sync 0 and barrier.sync 0: of all threads
inline void bar(Decoder& d) {
  d.take_any_of({"cta", "aligned"});
  if (d.take("warp")) {
    if (!d.take("sync")) d.refuse("bar.warp needs .sync");
    d.source(0, Type::u32);
    d.out.collective = Collective::sync;
    d.out.run = wait_for_warp;
    return;
  }
  if (!d.take("sync")) d.refuse("only .sync is known");
  if (d.constant(d.next()) != 0) d.refuse("only barrier 0 is known");
  d.out.run = wait_for_block;
}

}  // namespace recal::testing::ptx::decode
