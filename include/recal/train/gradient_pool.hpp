// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <recal/core/buffer.hpp>
#include <recal/core/zero_gradients.hpp>

namespace recal::train {

/// Memory for gradients that are needed one layer at a time. Buffers are zero when they are lent and when they come
/// back, so that a lent one costs no pass over it but where it grows.
template <class T>
class GradientPool {
 public:
  /// `count` zeros, in the smallest buffer that has room, else in the largest there is.
  [[nodiscard]] Buffer<T> lend(std::size_t count) {
    Buffer<T> buffer;
    if (!free_.empty()) {
      auto chosen = std::find_if(free_.begin(), free_.end(), [&](const auto& own) { return own.capacity() >= count; });
      if (chosen == free_.end()) --chosen;
      buffer = std::move(*chosen);
      free_.erase(chosen);
    }
    if (buffer.capacity() < count) {
      Buffer<T>().swap(buffer);
      buffer.reserve(count);
    }
    const std::size_t zeros = std::min(buffer.size(), count);
    buffer.resize(count);
    recal::detail::fill_zeros(buffer.data() + zeros, static_cast<Index>(count - zeros));
    return buffer;
  }

  /// requires: the buffer is zero
  void take_back(Buffer<T> buffer) {
    const auto larger =
        std::find_if(free_.begin(), free_.end(), [&](const auto& own) { return own.capacity() > buffer.capacity(); });
    free_.insert(larger, std::move(buffer));
  }

 private:
  std::vector<Buffer<T>> free_;  // by capacity
};

}  // namespace recal::train
