#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the compilation of files that only include a header; <vector> is the yardstick. Prints JSON in Google
Benchmark's format."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

HEADERS = ("vector", "recal/srm.hpp", "recal/se.hpp", "recal/ge.hpp", "recal/recal.hpp", "recal/nn/resnet.hpp")
INCLUDE = pathlib.Path(__file__).resolve().parent.parent / "include"


def milliseconds(compiler: str, header: str, folder: pathlib.Path) -> float:
    source = folder / "probe.cpp"
    source.write_text(f"#include <{header}>\n", encoding="utf-8")
    begin = time.perf_counter()
    subprocess.run([compiler, "-std=c++20", "-O2", "-I", INCLUDE, "-c", source, "-o", folder / "probe.o"], check=True)
    return 1e3 * (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        entries = [{"name": f"include/{header}", "run_type": "iteration", "repetition_index": repetition,
                    "time_unit": "ms", "real_time": milliseconds(options.compiler, header, pathlib.Path(folder))}
                   for repetition in range(options.repetitions) for header in HEADERS]
    json.dump({"context": {"library": "recal"}, "benchmarks": entries}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
