// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "../support/temporary_folder.hpp"
#include "file_bytes.hpp"
#include "run_log.hpp"

namespace {

using animals::EpochRecord;
using animals::Index;
using animals::read_text;
using animals::RunLog;
using animals::StepRecord;
using recal::testing::TemporaryFolder;

void write_three(RunLog& log) {
  for (Index i = 1; i <= 3; ++i) log.add(StepRecord{i, 1, 0.1, 1.0 / static_cast<double>(i), 2, 4});
  log.add(EpochRecord{.epoch = 1,
                      .step = 3,
                      .lr = 0.1,
                      .train_loss = 2.5,
                      .train_accuracy = 0.25,
                      .val_loss = 1.0 / 3.0,
                      .val_accuracy = 0.5,
                      .seconds = 2,
                      .images_per_second = 6});
}

TEST_CASE("lines and rows read back exactly") {
  const TemporaryFolder folder;
  RunLog log(folder.path(), 0, 0);
  write_three(log);
  CHECK(read_text(folder / "steps.jsonl") ==
        "{\"step\":1,\"epoch\":1,\"lr\":0.1,\"loss\":1.0,\"correct\":2,\"images\":4}\n"
        "{\"step\":2,\"epoch\":1,\"lr\":0.1,\"loss\":0.5,\"correct\":2,\"images\":4}\n"
        "{\"step\":3,\"epoch\":1,\"lr\":0.1,\"loss\":0.3333333333333333,\"correct\":2,\"images\":4}\n");
  CHECK(read_text(folder / "metrics.csv") ==
        "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second\n"
        "1,3,0.1,2.5,0.25,0.3333333333333333,0.5,2.000,6.000\n");
}

TEST_CASE("logs are cut back to where a run goes on") {
  const TemporaryFolder folder;
  {
    RunLog log(folder.path(), 0, 0);
    write_three(log);
  }
  const std::string all = read_text(folder / "steps.jsonl");
  std::ofstream(folder / "steps.jsonl", std::ios::app) << "{\"step\":4,\"ep";
  { RunLog log(folder.path(), 3, 1); }
  CHECK(read_text(folder / "steps.jsonl") == all);
  {
    RunLog log(folder.path(), 2, 0);
    log.add(StepRecord{3, 1, 0.1, 1.0 / 3.0, 2, 4});
  }
  CHECK(read_text(folder / "steps.jsonl") == all);
  CHECK(read_text(folder / "metrics.csv") ==
        "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second\n");
}

}  // namespace
