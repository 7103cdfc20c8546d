// SPDX-License-Identifier: Apache-2.0
#include "run_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "text.hpp"
#include "trainer.hpp"

namespace animals {

namespace fs = std::filesystem;

TrainedNetwork open_run(const fs::path& folder, const std::string& which) {
  if (!fs::exists(folder / run_files::config))
    fail(folder.string(), " is not the folder of a run: it has no config.json");
  TrainedNetwork trained;
  trained.config = read_config(folder / run_files::config);
  trained.checkpoint = folder / (which == "last" ? run_files::last : run_files::best);
  if (!fs::exists(trained.checkpoint)) trained.checkpoint = folder / run_files::last;
  if (!fs::exists(trained.checkpoint)) fail(folder.string(), " has no checkpoint yet");
  trained.network = make_network(network_options(trained.config));
  trained.network->load_weights(trained.checkpoint);
  return trained;
}

RunLock::RunLock(const fs::path& folder) {
  const fs::path path = folder / ".lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(folder.string(), " cannot be written");
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor_);
    fail("another process is training in ", folder.string());
  }
}

RunLock::~RunLock() { ::close(descriptor_); }

}  // namespace animals
