# SPDX-License-Identifier: Apache-2.0
"""The report of a run of the benchmarks, in Markdown."""

import datetime
import os
import re
import subprocess

from measurements import Measurements, Source


def output_of(*command: str) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout


def processor() -> dict[str, str]:
    """Some lines of lscpu."""
    fields = (line.partition(":") for line in output_of("lscpu").splitlines())
    found = {key.strip(): value.strip() for key, _, value in fields}
    wanted = ("Model name", "CPU(s)", "Thread(s) per core", "L1d cache", "L2 cache", "L3 cache")
    return {key: found[key] for key in wanted if key in found}


def commit() -> str:
    changed = " with changes" if output_of("git", "status", "--porcelain") else ""
    return output_of("git", "rev-parse", "--short", "HEAD").strip() + changed


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def circumstances(data: Measurements) -> list[list[str]]:
    own = data.contexts.get("recal", {})
    level = re.search(r"-march=(\S+)", own.get("flags", ""))
    rounds = max((sample.round for source, samples in data.samples.items() for sample in samples
                  if source.name.startswith("yardstick/")), default=0)
    rows = [["date", datetime.date.today().isoformat()], ["commit", commit()], ["rounds", str(rounds)]]
    rows += [[key, value] for key, value in processor().items()]
    rows += [["instruction set", level.group(1) if level else "the compiler's default"],
             ["compiler", own.get("compiler", "?")], ["flags", f"`{own.get('flags', '?')}`"],
             ["oneDNN", own.get("onednn", "not built in")]]
    rows += [[f"threads of {library}", context["threads"]] for library, context in data.contexts.items()
             if "threads" in context]
    return rows


def stages(data: Measurements) -> str:
    """The parts of a training step beside what multiply-adds and memory allow."""
    peak = data.median(Source("recal", "yardstick/multiply_add", "FLOPS"))
    copy = data.median(Source("recal", "yardstick/copy/64MiB"))
    names = data.names("recal", "stage/")
    if peak is None or copy is None or not names:
        return "Not measured.\n"
    bandwidth = 2 * (64 << 20) / copy * 1e3  # bytes a second of a scaled copy: one read, one write

    rows = []
    for name in names:
        seconds = data.median(Source("recal", name)) * 1e-3
        rate = data.median(Source("recal", name, "FLOPS"))
        size = data.median(Source("recal", name, "bytes"))
        limits = rate * seconds / peak, size / bandwidth
        rows.append([f"`{name}`", f"{rate * seconds / 1e9:.1f}", f"{size / 1e6:.0f}", f"{seconds * 1e3:.1f}",
                     *(f"{limit * 1e3:.1f}" for limit in limits), f"{sum(limits) / seconds:.0%}"])
    return table(["part", "GFLOP", "MB", "ms", "ms of multiply-adds at peak", "ms of memory at copy speed",
                  "both over time"], rows)


def medians(data: Measurements) -> str:
    libraries = data.libraries()
    names = sorted({source.name for source in data.samples})

    def cell(library, name):
        value = data.median(Source(library, name))
        return "" if value is None else f"{value:.4g}"

    rows = [[f"`{name}`", *(cell(library, name) for library in libraries)] for name in names]
    return table(["benchmark", *libraries], rows)


def markdown(claims, data: Measurements) -> str:
    rows = [[claim.what, f"`{claim.name}`", claim.value, claim.bound, claim.verdict] for claim in claims]
    return f"""# Speed

Written by `scripts/bench.sh`. Every figure is a median over rounds and repetitions in random order. What is held
against a yardstick, oneDNN, the peak, or itself without a module is called in turns with that, and the ratio is the
median of the ratios of such pairs; against PyTorch, which runs in a process of its own, it is that of rounds. "short"
means that the bound is missed, or that what it needs was not measured.

## Claims

{table(["what", "claim", "measured", "bound", ""], rows)}
## Stages

ResNet-50 at 224 pixels and batch 8 in training, see `bench/stages.cpp`. Limits: the operations of the convolutions at
the measured multiply-add peak, and the bytes that must move at the speed of a scaled copy.

{stages(data)}
## Machine and build

{table(["", ""], circumstances(data))}
## Medians

Milliseconds; `memory/...` is in MiB. What the names mean stands at the head of the files in [bench/](../../bench).

{medians(data)}"""
