// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <typeinfo>

#include <cxxabi.h>

#include <recal/core/error.hpp>
#include <recal/core/shape.hpp>

#include "tests/support/host_run/place.hpp"

namespace recal::testing {

/// What a kernel did against the rules.
struct kernel_fault : error {
  using error::error;
};

[[nodiscard]] inline std::string demangled(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                    std::free);
  return status == 0 ? name.get() : type.name();
}

/// The parts joined.
template <class... Parts>
[[nodiscard]] std::string text_of(const Parts&... parts) {
  std::string text;
  (recal::detail::append(text, parts), ...);
  return text;
}

/// Who did it and where.
struct Culprit {
  const std::string& kernel;
  Index block;
  int thread;
  Place place;
};

[[noreturn]] inline void fault(const Culprit& who, const std::string& what) {
  throw kernel_fault(text_of("recal: kernel ", who.kernel, ", block ", who.block, ", thread ", who.thread, ", ",
                             to_string(who.place), ": ", what));
}

}  // namespace recal::testing
