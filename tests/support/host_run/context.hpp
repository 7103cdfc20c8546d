// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <recal/backend/cuda/context.hpp>

#include "tests/support/host_run/block.hpp"

namespace recal::testing {

/// Part of a block's shared memory, as one thread sees it.
template <class T>
class HostShared {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  HostShared(Block& block, int thread, int offset, int count, const Place& place)
      : block_(block), thread_(thread), offset_(offset), count_(count) {
    const int bytes = block.launch().launch.shared_bytes;
    if (offset < 0 || count < 0 || offset + static_cast<Index>(sizeof(T)) * count > bytes)
      block.fail(thread, place,
                 text_of("shared memory too small: ", count, " elements of ", sizeof(T), " bytes from byte ", offset,
                         " on in ", bytes, " bytes"));
    if (static_cast<std::size_t>(offset) % alignof(T) != 0)
      block.fail(thread, place, text_of("misaligned shared memory: byte ", offset, " is no multiple of ", alignof(T)));
  }

  [[nodiscard]] T get(int i, Place place = Place::here()) const {
    T value;
    std::memcpy(&value, reach<Access::load>(i, place), sizeof(T));
    return value;
  }
  void set(int i, T value, Place place = Place::here()) const {
    std::memcpy(reach<Access::store>(i, place), &value, sizeof(T));
  }

 private:
  template <Access access>
  [[nodiscard]] std::byte* reach(int i, const Place& place) const {
    if (i < 0 || i >= count_)
      block_.fail(thread_, place, text_of("shared index out of bounds: 0 <= ", i, " < ", count_, " does not hold"));
    LaunchRun& launch = block_.launch();
    const std::size_t offset = static_cast<std::size_t>(offset_) + static_cast<std::size_t>(i) * sizeof(T);
    if (launch.checks == Checks::on) {
      const Clash clash =
          launch.shared.shadow().template note_of_block<access>(offset, element_of<T>, launch.clock.now(), thread_);
      if (clash.kind != Clash::Kind::none) fail<access>(clash, offset, place);
    }
    return launch.shared.at(offset);
  }

  template <Access access>
  [[noreturn]] void fail(const Clash& clash, std::size_t offset, const Place& place) const {
    block_.fail(thread_, place,
                text_of(name_of(clash), text_of_access(access, sizeof(T)), " at byte ", offset, " of shared memory, ",
                        text_of_clash(clash, block_.launch().clock)));
  }

  Block& block_;
  int thread_;
  int offset_;
  int count_;
};

/// A thread of a kernel on the processor. Whatever breaks the rules of cuda::ThreadContext throws kernel_fault, also
/// where it happens to do no harm. Faults name the line of the access.
class HostContext {
 public:
  HostContext(Block& block, int thread) : block_(block), thread_(thread) {}

  [[nodiscard]] Index block() const { return block_.index(); }
  [[nodiscard]] Index blocks() const { return block_.launch().launch.blocks; }
  [[nodiscard]] int thread() const { return thread_; }
  [[nodiscard]] int threads() const { return block_.launch().launch.threads; }

  void barrier(Place place = Place::here()) const { block_.barrier(thread_, place); }

  template <class T>
  [[nodiscard]] T shuffle(T value, int lane, Place place = Place::here()) const {
    return exchange(State::shuffle, value, lane, place);
  }
  template <class T>
  [[nodiscard]] T shuffle_down(T value, int by, Place place = Place::here()) const {
    return exchange(State::shuffle_down, value, by, place);
  }

  template <class T>
  [[nodiscard]] HostShared<T> shared(int offset, int count, Place place = Place::here()) const {
    return {block_, thread_, offset, count, place};
  }

  template <class T>
  [[nodiscard]] T load(const T* from, Place place = Place::here()) const {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, reach<Access::load>(from, element_of<T>, place), sizeof(T));
    block_.launch().traffic.count_load(sizeof(T));
    return value;
  }
  template <class T>
  void store(T* to, const T& value, Place place = Place::here()) const {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(reach<Access::store>(to, element_of<T>, place), &value, sizeof(T));
    block_.launch().traffic.count_store(sizeof(T));
  }

 private:
  template <class T>
  [[nodiscard]] T exchange(State state, T value, int operand, const Place& place) const {
    static_assert(std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "not a type that CUDA can shuffle");
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    bits = block_.shuffle(thread_, {state, place, bits, 0, operand, static_cast<int>(sizeof(T))});
    std::memcpy(&value, &bits, sizeof(T));
    return value;
  }

  template <Access access>
  [[nodiscard]] std::byte* reach(const void* at, const Element& element, const Place& place) const {
    const auto address = reinterpret_cast<std::uintptr_t>(at);
    LaunchRun& launch = block_.launch();
    if (address % element.alignment != 0) fail_alignment<access>(address, element, place);
    Allocation* const piece = launch.memory.find(address, element.bytes, place.line);
    if (piece == nullptr) fail_bounds<access>(address, element, place);
    const std::size_t offset = address - piece->begin;
    if (launch.checks == Checks::on) {
      piece->shadow.cover(piece->bytes);
      const Clash clash = piece->shadow.note<access>(offset, element, launch.clock.now(), thread_);
      if (clash.kind != Clash::Kind::none) fail_order<access>(clash, *piece, offset, element, place);
    }
    return piece->data.get() + offset;
  }

  template <Access access>
  [[noreturn]] void fail_alignment(std::uintptr_t address, const Element& element, const Place& place) const {
    block_.fail(thread_, place,
                text_of("misaligned ", text_of_access(access, element.bytes), ": ", address % element.alignment,
                        " past a multiple of ", element.alignment));
  }

  template <Access access>
  [[noreturn]] void fail_bounds(std::uintptr_t address, const Element& element, const Place& place) const {
    block_.fail(thread_, place,
                text_of("out of bounds: ", text_of_access(access, element.bytes), " ",
                        block_.launch().memory.where(address, element.bytes)));
  }

  template <Access access>
  [[noreturn]] void fail_order(const Clash& clash, const Allocation& piece, std::size_t offset, const Element& element,
                               const Place& place) const {
    block_.fail(thread_, place,
                text_of(name_of(clash), text_of_access(access, element.bytes), " at byte ", offset, " of ", piece.bytes,
                        ", ", text_of_clash(clash, block_.launch().clock)));
  }

  Block& block_;
  int thread_;
};

static_assert(cuda::ThreadContext<HostContext>);

}  // namespace recal::testing
