// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include <recal/core/shape.hpp>

namespace recal {

/// Allocates at cache lines and leaves trivial elements uninitialised on resize: what a tensor
/// that is about to be overwritten needs.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};

  AlignedAllocator() = default;
  template <class U>
  constexpr explicit AlignedAllocator(const AlignedAllocator<U>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), alignment)); }
  void deallocate(T* pointer, std::size_t) noexcept { ::operator delete(pointer, alignment); }

  template <class U>
  void construct(U* at) {
    ::new (static_cast<void*>(at)) U;
  }
  template <class U, class... Args>
  void construct(U* at, Args&&... args) {
    ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
  }

  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) = default;
};

/// A vector that starts at a cache line. `Buffer<T> b(n)` is uninitialised, `Buffer<T> b(n, T{})` is not.
template <class T>
using Buffer = std::vector<T, AlignedAllocator<T>>;

/// `buffer[index]` for the signed indices that recal counts in.
template <class Vector>
[[nodiscard]] constexpr decltype(auto) at(Vector& buffer, Index index) {
  return buffer[static_cast<std::size_t>(index)];
}

/// Makes room for `count` elements without initialising them; keeps memory that is large enough.
template <class Vector>
void resize(Vector& buffer, Index count) {
  buffer.resize(static_cast<std::size_t>(count));
}

/// Makes room for `count` elements of any value. Memory that does not suffice is given back before more is asked for.
template <class Vector>
void renew(Vector& buffer, Index count) {
  if (static_cast<std::size_t>(count) > buffer.capacity()) Vector().swap(buffer);
  resize(buffer, count);
}

}  // namespace recal
