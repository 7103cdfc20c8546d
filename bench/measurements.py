# SPDX-License-Identifier: Apache-2.0
"""What was measured, and medians and ratios of it."""

import json
import pathlib
import re
from collections import defaultdict
from statistics import median
from typing import NamedTuple, Optional

COUNTERS = re.compile("FLOPS|bytes|waiting|share_of_peak|over_.*")
MILLISECONDS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}


class Source(NamedTuple):
    """One benchmark of one library, and what to take of it: time in milliseconds, memory in MiB, or a counter."""

    library: str
    name: str
    metric: str = "value"


class Sample(NamedTuple):
    round: int
    value: float


class Measurements:
    def __init__(self):
        self.samples: dict[Source, list[Sample]] = defaultdict(list)
        self.contexts: dict[str, dict[str, str]] = {}

    @classmethod
    def read(cls, folder: pathlib.Path) -> "Measurements":
        """The files <round>-<anything>.json of a folder."""
        data = cls()
        for path in sorted(folder.glob("*-*.json")):
            content = json.loads(path.read_text(encoding="utf-8"))
            library = content["context"]["library"]
            data.contexts.setdefault(library, {}).update(content["context"])
            for entry in content["benchmarks"]:
                if entry["run_type"] != "iteration":
                    continue
                if entry.get("error_occurred"):
                    raise SystemExit(f"{path}: {entry['name']}: {entry['error_message']}")
                name = re.sub("(/iterations:[0-9]+)?/manual_time$", "", entry["name"])
                values = {"value": entry["real_time"] * MILLISECONDS.get(entry["time_unit"], 1.0)}
                values |= {metric: value for metric, value in entry.items() if COUNTERS.fullmatch(metric)}
                for metric, value in values.items():
                    data.add(Source(library, name, metric), Sample(int(path.name.split("-")[0]), value))
        return data

    def add(self, source: Source, sample: Sample) -> None:
        self.samples[source].append(sample)

    def libraries(self) -> list[str]:
        return sorted({source.library for source in self.samples}, key=lambda library: (library != "recal", library))

    def names(self, library: str, prefix: str = "") -> list[str]:
        found = (source.name for source in self.samples if source.library == library)
        return sorted({name for name in found if name.startswith(prefix)})

    def median(self, source: Source) -> Optional[float]:
        samples = self.samples.get(source)
        return median(sample.value for sample in samples) if samples else None

    def ratio(self, over: Source, under: Source) -> Optional[float]:
        """The median over rounds of the ratios of their medians: of what ran in processes of its own. None where no
        round has both."""
        tops, bottoms = self._by_round(over), self._by_round(under)
        common = tops.keys() & bottoms.keys()
        return median(tops[key] / bottoms[key] for key in common) if common else None

    def _by_round(self, source: Source) -> dict[int, float]:
        rounds = defaultdict(list)
        for sample in self.samples.get(source, ()):
            rounds[sample.round].append(sample.value)
        return {key: median(values) for key, values in rounds.items()}
