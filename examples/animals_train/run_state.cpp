// SPDX-License-Identifier: Apache-2.0
#include "run_state.hpp"

#include <array>
#include <charconv>
#include <string>

#include "text.hpp"

namespace animals {

namespace {

template <class State, class F>
void for_each_number(State& state, F&& f) {
  f("step", state.step);
  f("epoch", state.epoch);
  f("position", state.position);
  f("loss_sum", state.loss_sum);
  f("correct", state.correct);
  f("seen", state.seen);
  f("seconds", state.seconds);
  f("best_accuracy", state.best_accuracy);
  f("best_epoch", state.best_epoch);
}

}  // namespace

recal::train::Notes to_notes(const RunState& state) {
  recal::train::Notes notes;
  for_each_number(state, [&notes](const char* key, auto value) {
    std::array<char, 64> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    notes.emplace(key, std::string(digits.data(), end));
  });
  return notes;
}

RunState state_from(const recal::train::Notes& notes) {
  RunState state;
  for_each_number(state, [&notes](const char* key, auto& value) {
    const auto found = notes.find(key);
    if (found == notes.end()) fail("the checkpoint does not say its ", key);
    const std::string& digits = found->second;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (result.ec != std::errc{} || result.ptr != digits.data() + digits.size())
      fail("the checkpoint says that its ", key, " is ", digits, ", which is no number");
  });
  return state;
}

}  // namespace animals
