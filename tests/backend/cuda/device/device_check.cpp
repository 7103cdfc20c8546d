// SPDX-License-Identifier: Apache-2.0
// device_check [--quick]: runs every module, residual tail, batch norm and layer on the card and on the processor and
// prints how far they are apart; exits with 1 where that is too far, or where a second run on the card gives other
// bits. 77 without a card.
#include "device_check.hpp"

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "comparison.hpp"

using namespace recal;
using namespace recal::device_check;

int main(int argc, char** argv) {
  if (!has_card()) {
    std::printf("no CUDA card here\n");
    return 77;
  }
  int faults = 0;
  const auto report = [&faults](const std::string& what, double error, double allowed) {
    const bool ok = error <= allowed;
    std::printf("%-44s %9.2e  allowed %9.2e  %s\n", what.c_str(), error, allowed, ok ? "ok" : "TOO FAR");
    faults += ok ? 0 : 1;
  };
  const Comparison comparison{run_on_card, run_layers_on_card, report};
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  std::vector<Shape> shapes{{2, 6, 7, 7}, {2, 3, 40, 33}};
  if (!quick)
    shapes.insert(shapes.end(), {{1, 5, 14, 14},
                                 {8, 4, 1, 1},
                                 {4, 3, 7, 5},
                                 {32, 256, 14, 14},
                                 {16, 512, 7, 7},
                                 {2, 64, 56, 56},
                                 {2, 3, 224, 224},
                                 {64, 2048, 7, 7},
                                 {3, 1, 1, 9}});
  for (const Shape& shape : shapes)
    for (const char* element : {"float", "half", "bfloat16"}) comparison.check_units(element, shape);
  comparison.check_layers({5, 7, 33, 35});
  if (!quick) comparison.check_layers({32, 64, 56, 56});
  std::printf("%s\n", faults == 0 ? "device check: all agree" : "device check: FAILED");
  return faults == 0 ? 0 : 1;
}
