// SPDX-License-Identifier: Apache-2.0
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/lanes_sink.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/core/dots.hpp>

using recal::Dots;
using recal::Index;

TEST_CASE_TEMPLATE("every plane's state arrives once, one by one or in lanes", B, recal::Cpu, recal::Reference) {
  for (const Index count : {1, 5, 49, 2000})
    for (const Index planes : {1, 7, 8, 19}) {
      const std::vector<double> ones(static_cast<std::size_t>(count * planes), 1.0);
      std::vector<double> dy(ones.size());
      for (Index i = 0; i < count * planes; ++i) dy[static_cast<std::size_t>(i)] = static_cast<double>(i / count + 1);
      std::vector<double> sums(static_cast<std::size_t>(planes), 0.0);
      const auto keep = [&]<class A>(Index first, Index own, const Dots::State<A>& states) {
        for (Index i = 0; i < own; ++i) {
          double& sum = sums.at(static_cast<std::size_t>(first + i));
          if constexpr (std::is_arithmetic_v<A>)
            sum += states.s0();
          else
            sum += states.s0().v[i];
        }
      };
      recal::reduce_planes(typename B::Team{}, Dots{}, count, planes, recal::detail::LanesSink{keep},
                           recal::PlaneSpan<const double>{ones.data(), count},
                           recal::PlaneSpan<const double>{dy.data(), count});
      for (Index i = 0; i < planes; ++i)
        CHECK(sums[static_cast<std::size_t>(i)] == static_cast<double>((i + 1) * count));
    }
}
