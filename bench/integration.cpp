// SPDX-License-Identifier: Apache-2.0
// What stands between pool and gate, by itself: z = integrate(t), N*C small problems.

#include <string>

#include <recal/integrate/channel_band.hpp>
#include <recal/integrate/channel_context.hpp>
#include <recal/integrate/channel_norm.hpp>
#include <recal/integrate/channel_wise.hpp>
#include <recal/integrate/mlp.hpp>
#include <recal/integrate/then.hpp>
#include <recal/recalibrate_planes.hpp>

#include "harness.hpp"

namespace {

using bench::Index;

constexpr Index samples = 8;

template <class Integrate>
struct Styles {
  Integrate integrate;
  recal::Groups groups;
  recal::Buffer<double> t, z, dz, dt;
  typename Integrate::Tape tape;

  Styles(Integrate own, Index channels)
      : integrate(std::move(own)),
        groups{{.n = samples, .c = channels, .h = 1, .w = 1}, Integrate::mixing},
        t(numbers(Integrate::in)),
        z(numbers(Integrate::out), 0.0),
        dz(numbers(Integrate::out), 0.25),
        dt(numbers(Integrate::in), 0.0) {
    for (std::size_t i = 0; i < t.size(); ++i) t[i] = recal::random_unit(0, i);
    recal::detail::begin_tape(integrate, groups.groups(), groups.rows(), recal::Mode::train, tape);
  }

  // Channels all as one block where the integration takes blocks, else group by group.
  void forward() {
    if constexpr (recal::detail::IntegrateBlocks<Integrate>)
      return integrate.forward_block(0, groups.groups(), t, z, tape);
    for (Index g = 0; g < groups.groups(); ++g)
      integrate.forward(g, groups.template slice<Integrate::in>(t, g, g + 1),
                        groups.template slice<Integrate::out>(z, g, g + 1), tape);
  }

  void backward() {
    if constexpr (recal::detail::IntegrateBlocks<Integrate>)
      return integrate.backward_block(0, groups.groups(), t, dz, dt, tape);
    for (Index g = 0; g < groups.groups(); ++g)
      integrate.backward(g, groups.template slice<Integrate::in>(t, g, g + 1),
                         groups.template slice<Integrate::out>(dz, g, g + 1),
                         groups.template slice<Integrate::in>(dt, g, g + 1), tape);
    recal::detail::add_parameter_gradients(integrate, groups.groups(), t, dz, tape);
  }

 private:
  [[nodiscard]] std::size_t numbers(Index width) const { return static_cast<std::size_t>(groups.planes() * width); }
};

template <class Make>
void add_integration(const std::string& name, Make make) {
  for (const Index channels : {256, 512, 1024, 2048}) {
    const std::string size = '/' + std::to_string(samples) + 'x' + std::to_string(channels);
    bench::add("integration/" + name + "/forward" + size, [=](benchmark::State& state) {
      Styles styles(make(channels), channels);
      bench::repeat(state, [&] { styles.forward(); });
    });
    bench::add("integration/" + name + "/backward" + size, [=](benchmark::State& state) {
      Styles styles(make(channels), channels);
      styles.forward();
      bench::repeat(state, [&] { styles.backward(); });
    });
  }
}

const bench::Registration integrations([] {
  using recal::ChannelNorm;
  using recal::ChannelWise;
  add_integration("srm", [](Index channels) {
    return recal::Then<ChannelWise<float, 2>, ChannelNorm<float>>{ChannelWise<float, 2>(channels),
                                                                  ChannelNorm<float>(channels)};
  });
  add_integration("se", [](Index channels) { return recal::Mlp<float>(channels, channels / 16, true, true, 0); });
  add_integration(
      "eca", [](Index channels) { return recal::ChannelBand<float>(recal::ChannelBand<float>::width_for(channels)); });
  add_integration("gct", [](Index channels) { return recal::ChannelContext<float>(channels); });
});

}  // namespace
