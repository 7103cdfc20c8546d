// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "run_state.hpp"
#include "text.hpp"

namespace {

using animals::RunState;

TEST_CASE("every number comes back exactly") {
  const RunState state{.step = 123456789012,
                       .epoch = 3,
                       .position = 17,
                       .loss_sum = 1.0 / 3.0,
                       .correct = 5,
                       .seen = 9,
                       .seconds = 1e-300,
                       .best_accuracy = 0.1 + 0.2,
                       .best_epoch = 2};
  CHECK(animals::state_from(animals::to_notes(state)) == state);
  CHECK(animals::state_from(animals::to_notes(RunState{})) == RunState{});
}

TEST_CASE("notes that lack a number or hold none are refused") {
  auto notes = animals::to_notes(RunState{});
  notes["step"] = "7x";
  CHECK_THROWS_WITH_AS(static_cast<void>(animals::state_from(notes)), doctest::Contains("step is 7x"),
                       animals::failure);
  notes.erase("step");
  CHECK_THROWS_WITH_AS(static_cast<void>(animals::state_from(notes)), doctest::Contains("does not say its step"),
                       animals::failure);
}

}  // namespace
