// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <recal/backend/cuda/context.hpp>

#include "tests/support/ptx/memory.hpp"
#include "tests/support/ptx/program.hpp"
#include "tests/support/ptx/run.hpp"

namespace recal::testing::ptx {

/// A program of one entry k with this parameter list and body; `before` stands above it. The body is line 5 and on.
[[nodiscard]] inline std::string entry_text(const std::string& params, const std::string& body,
                                            const std::string& before = "") {
  return ".version 9.0\n.target sm_75 .address_size 64\n" + before + "\n.visible .entry k(" + params + ") {\n" + body +
         "\nret;\n}\n";
}

/// What a snippet leaves in %result when the arguments are in %a, %b, %c and %d, registers of their sizes. It may use
/// the predicates %p and %q, and %x<4> (16 bits), %y<4> (32), %z<4> (64).
template <class R, class... Arguments>
[[nodiscard]] R evaluate(const std::string& snippet, Arguments... arguments) {
  std::string body = ".reg .pred %p, %q; .reg .b16 %x<4>; .reg .b32 %y<4>; .reg .b64 %z<4>; .reg .b64 %in; .reg .b" +
                     std::to_string(sizeof(R) * 8) + " %result; ld.param.u64 %in, [params];\n";
  struct {
    const void* in;
    void* out;
  } kernel{};
  std::array<std::uint64_t, 5> in{};
  std::size_t count = 0;
  const auto pass = [&](auto argument) {
    const std::string bits = std::to_string(sizeof(argument) * 8);
    const std::string name = std::string("%") + "abcd"[count];
    std::memcpy(&in[count], &argument, sizeof(argument));
    body += ".reg .b" + bits + " " + name + "; ld.global.b" + bits + " " + name + ", [%in+" +
            std::to_string(8 * count++) + "];\n";
  };
  (pass(arguments), ...);
  body += snippet + "\n.reg .b64 %out; ld.param.u64 %out, [params+8]; st.global.b" + std::to_string(sizeof(R) * 8) +
          " [%out], %result;\n";
  R result{};
  kernel = {in.data(), &result};
  Memory memory;
  memory.add(in.data(), sizeof(in), false);
  memory.add(&result, sizeof(result));
  const Program program(entry_text(".param .align 8 .b8 params[16]", body));
  run(program.named("k"), cuda::Launch{1, 1, 0}, &kernel, sizeof(kernel), memory);
  return result;
}

/// What `threads` threads of one block leave in %result (32 bits); %lane is a thread's number.
[[nodiscard]] inline std::vector<std::uint32_t> evaluate_block(const std::string& snippet, int threads = 32,
                                                               int shared_bytes = 0, const std::string& before = "") {
  const std::string body =
      ".reg .pred %p, %q; .reg .b32 %y<8>; .reg .b64 %z<8>; .reg .f32 %f<8>; .reg .b32 %lane, %result; .reg .b64 %out, "
      "%at; mov.u32 %lane, %tid.x; ld.param.u64 %out, [to]; mul.wide.u32 %at, %lane, 4; add.s64 %out, %out, %at;\n" +
      snippet + "\nst.global.u32 [%out], %result;\n";
  std::vector<std::uint32_t> results(static_cast<std::size_t>(threads), 0xdeadbeefU);
  Memory memory;
  memory.add(results.data(), results.size() * sizeof(std::uint32_t));
  const Program program(entry_text(".param .u64 to", body, before));
  program.add_tables_to(memory);
  void* kernel = results.data();
  run(program.named("k"), cuda::Launch{1, threads, shared_bytes}, &kernel, sizeof(kernel), memory);
  return results;
}

}  // namespace recal::testing::ptx
