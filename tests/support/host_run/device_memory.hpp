// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include <sys/mman.h>

#include <recal/core/error.hpp>

#include "tests/support/host_run/report.hpp"
#include "tests/support/host_run/shadow.hpp"

namespace recal::testing {

/// Addresses with nothing behind them, so that whoever follows a device pointer past the context crashes. None is given
/// out twice, and between any two pieces there is a gap.
class DeviceAddresses {
 public:
  [[nodiscard]] static char* take(std::size_t bytes) {
    static DeviceAddresses all;
    const std::size_t taken = (bytes + gap + alignment - 1) / alignment * alignment;
    const std::size_t offset = all.next_.fetch_add(taken);
    check(offset + taken <= size, "the host run is out of device addresses");
    return all.begin_ + offset;
  }

 private:
  static constexpr std::size_t alignment = 256;
  static constexpr std::size_t gap = 4096;
  static constexpr std::size_t size = std::size_t{256} << 30U;

  DeviceAddresses() {
    void* begin = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(begin != MAP_FAILED, "no addresses for device memory");
    begin_ = static_cast<char*>(begin);
  }

  char* begin_ = nullptr;
  std::atomic<std::size_t> next_{gap};
};

/// A piece of device memory: where kernels see it, and where it is.
struct Allocation {
  explicit Allocation(std::size_t size)
      : device(DeviceAddresses::take(size)),
        begin(reinterpret_cast<std::uintptr_t>(device)),
        bytes(size),
        data(std::make_unique_for_overwrite<std::byte[]>(size)) {
    std::memset(data.get(), 0xff, bytes);  // NaN
  }

  [[nodiscard]] bool holds(std::uintptr_t address, std::size_t size) const {
    return address - begin <= bytes && size <= bytes - (address - begin);  // huge where address < begin
  }

  void* device;
  std::uintptr_t begin;  ///< the same as a number
  std::size_t bytes;
  std::unique_ptr<std::byte[]> data;
  Shadow shadow;
};

/// All device memory that is in use.
class DeviceMemory {
 public:
  [[nodiscard]] Allocation& add(std::size_t bytes) {
    auto made = std::make_unique<Allocation>(bytes);
    Allocation& result = *made;
    in_use_.emplace(result.begin, std::move(made));
    return result;
  }

  void remove(std::uintptr_t begin) {
    in_use_.erase(begin);
    recent_.fill(nullptr);
  }

  /// The piece that holds all these bytes, or null. `hint`: equal for accesses that are likely to the same piece
  [[nodiscard]] Allocation* find(std::uintptr_t address, std::size_t bytes, int hint) {
    Allocation*& recent = recent_[static_cast<std::size_t>(hint) % recent_.size()];
    if (recent != nullptr && recent->holds(address, bytes)) return recent;
    Allocation* const nearest = below(address);
    if (nearest == nullptr || !nearest->holds(address, bytes)) return nullptr;
    return recent = nearest;
  }

  /// The piece's bytes. Throws recal::error unless they are all in one piece.
  [[nodiscard]] std::byte* need(const void* device, std::size_t bytes, const char* what) {
    const auto address = reinterpret_cast<std::uintptr_t>(device);
    Allocation* const piece = find(address, bytes, 0);
    check(piece != nullptr, what, " of ", bytes, " bytes out of bounds: ", where(address, bytes));
    return piece->data.get() + (address - piece->begin);
  }

  /// How far bytes that are not all in one piece lie from the nearest one.
  [[nodiscard]] std::string where(std::uintptr_t address, std::size_t bytes) const {
    const Allocation* const low = below(address);
    const auto after = in_use_.upper_bound(address);
    const Allocation* const high = after == in_use_.end() ? nullptr : after->second.get();
    if (low == nullptr && high == nullptr) return "there is no device memory";
    const std::uintptr_t past = low == nullptr ? UINTPTR_MAX : address - low->begin - low->bytes;
    const std::uintptr_t short_of = high == nullptr ? UINTPTR_MAX : high->begin - address;
    if (low != nullptr && address - low->begin < low->bytes) return reaching(*low, address + bytes);
    if (low != nullptr && past <= short_of) return beyond(past, bytes, " bytes past the end", *low);
    return beyond(short_of, bytes, " bytes before the beginning", *high);
  }

 private:
  [[nodiscard]] Allocation* below(std::uintptr_t address) const {
    const auto after = in_use_.upper_bound(address);
    return after == in_use_.begin() ? nullptr : std::prev(after)->second.get();
  }

  [[nodiscard]] static std::string reaching(const Allocation& piece, std::uintptr_t end) {
    return text_of("reaches ", end - piece.begin - piece.bytes, " bytes past the end of ", piece.bytes, " bytes");
  }
  [[nodiscard]] static std::string beyond(std::uintptr_t distance, std::size_t bytes, const char* how,
                                          const Allocation& piece) {
    return text_of("begins ", distance, how, " of ", piece.bytes, " bytes", distance <= bytes ? " (off by one?)" : "");
  }

  std::map<std::uintptr_t, std::unique_ptr<Allocation>> in_use_;
  std::array<Allocation*, 64> recent_{};
};

}  // namespace recal::testing
