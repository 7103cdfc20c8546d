#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what the benchmarks measured against what recal claims. Prints one line a claim,

    claim <name> <measured> <bound> ok|short

and writes the report. FOLDER holds <round>-<anything>.json files in Google Benchmark's format."""

import argparse
import dataclasses
import pathlib
import sys
from statistics import geometric_mean
from typing import Callable, Optional

import report
from measurements import Measurements, Sample, Source

RECAL = "recal"
BIG = ("64MiB", "98MiB")
STAGES = ("8x256x56x56", "8x512x28x28", "8x1024x14x14", "8x2048x7x7")
TRAINING = ("64px_b16", "128px_b16", "224px_b8")
INFERENCE = ("224px_b1", "224px_b8")


@dataclasses.dataclass
class Claim:
    name: str
    what: str
    measured: Optional[float]
    at_most: Optional[float] = None
    at_least: Optional[float] = None

    @property
    def bound(self) -> str:
        return f">={self.at_least:g}" if self.at_most is None else f"<={self.at_most:g}"

    @property
    def value(self) -> str:
        return "missing" if self.measured is None else f"{self.measured:.3f}"

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "short"
        ok = self.measured >= self.at_least if self.at_most is None else self.measured <= self.at_most
        return "ok" if ok else "short"

    def line(self) -> str:
        return f"claim {self.name} {self.value} {self.bound} {self.verdict}"


def all_of(combine: Callable, values) -> Optional[float]:
    """combine(values), or None where one is missing."""
    values = list(values)
    return None if not values or None in values else combine(values)


def module_claims(data: Measurements) -> list[Claim]:
    """Modules over what the same passes over memory cost by themselves."""
    bounds = {
        ("infer", "copy"): {"srm": 1.25, "se": 1.25, "ge": 1.25, "eca": 1.25},
        ("forward", "copy"): {"srm": 1.3, "ge": 1.3, "se": 1.6},
        ("backward", "triad"): {"srm": 1.35, "ge": 1.35, "se": 1.6},
    }
    claims = []
    for place, sizes in (("big", BIG), ("stages", STAGES)):
        for (mode, yardstick), modules in bounds.items():
            for module, bound in modules.items():
                ratios = (data.median(Source(RECAL, f"module/{module}/{mode}/{size}", f"over_{yardstick}"))
                          for size in sizes)
                where = "worst of tensors of 64 MiB and more" if place == "big" else "worst of ResNet-50's stages"
                claims.append(Claim(f"{mode}_{module}_{place}", f"{module} {mode} / {yardstick}, {where}",
                                    all_of(max, ratios), at_most=bound if place == "big" else 2.0))
    return claims


def tail_claims(data: Measurements) -> list[Claim]:
    claims = []
    for module in ("srm", "se", "ge"):
        for mode in ("forward", "backward"):
            ratios = (data.median(Source(RECAL, f"tail/{module}/{mode}/{size}", "over_none")) for size in BIG + STAGES)
            claims.append(Claim(f"tail_{mode}_{module}", f"residual tail with {module} / without, {mode}, worst shape",
                                all_of(max, ratios), at_most=1.05))
    return claims


def convolution_claims(data: Measurements) -> list[Claim]:
    claims = []
    for product in ("forward", "data", "weight"):
        layers = [name.rsplit("/", 1)[1] for name in data.names(RECAL, f"convolution/{product}/")]
        ratios = [data.median(Source(RECAL, f"convolution/{product}/{layer}", "over_onednn")) for layer in layers]
        what = f"convolution {product} / oneDNN"
        claims.append(Claim(f"convolution_{product}_mean", f"{what}, geometric mean over ResNet-50's distinct layers",
                            all_of(geometric_mean, ratios), at_most=1.1))
        claims.append(Claim(f"convolution_{product}_worst", f"{what}, worst layer", all_of(max, ratios), at_most=1.5))
    return claims


def step_claims(data: Measurements) -> list[Claim]:
    def share_of_peak(name):
        return data.median(Source(RECAL, name, "share_of_peak"))

    def waiting(epoch):
        return data.median(Source(RECAL, f"data_loading/{epoch}_epoch/64px", "waiting"))

    def cost(module, size):
        return data.median(Source(RECAL, f"step/{module}/{size}", "over_none"))

    claims = [Claim(f"step_{module}_{size}", f"training step with {module} / without, {size}", cost(module, size),
                    at_most=1.03)
              for module in ("srm", "se", "ge") for size in TRAINING]
    claims += [
        Claim("step_share_of_peak", "training step at 224 px, share of measured multiply-add peak",
              share_of_peak("step/none/224px_b8"), at_least=0.6),
        Claim("inference_share_of_peak", "inference at 224 px and batch 8, share of measured multiply-add peak",
              share_of_peak("inference/none/224px_b8"), at_least=0.7),
        Claim("step_scaling", "training step at 64 px, one thread / all threads",
              data.median(Source(RECAL, "step_on_one_thread/none/64px_b16", "over_all_threads")), at_least=1.85),
        Claim("waiting_first_epoch", "share of the first epoch at 64 px spent waiting for data", waiting("first"),
              at_most=0.03),
        Claim("waiting_later_epoch", "share of a later epoch at 64 px spent waiting for data", waiting("later"),
              at_most=0.03),
    ]
    return claims


def pytorch_claims(data: Measurements, peer: str) -> list[Claim]:
    def gain(name):
        return data.ratio(Source(peer, name), Source(RECAL, name))

    step_bound = 2.5 if peer.startswith("pytorch-1.13") else 1.5
    claims = [Claim(f"step_{size}_vs_{peer}", f"{peer} / recal, training step, {size}", gain(f"step/none/{size}"),
                    at_least=step_bound) for size in TRAINING]
    claims += [Claim(f"inference_{size}_vs_{peer}", f"{peer} / recal, inference, {size}",
                     gain(f"inference/none/{size}"), at_least=1.5) for size in INFERENCE]
    if peer.endswith("-compile"):
        return claims  # what follows is claimed of eager execution
    for module, mode, bound in (("srm", "forward", 20), ("srm", "forward_backward", 15), ("se", "forward", 1.3),
                                ("se", "forward_backward", 4)):
        gains = (gain(f"module/{module}/{mode}/{size}") for size in BIG + STAGES)
        claims.append(Claim(f"{mode}_{module}_vs_{peer}", f"{peer} / recal, {module} {mode}, geometric mean of shapes",
                            all_of(geometric_mean, gains), at_least=bound))
    claims += [Claim(f"memory_{size}_vs_{peer}", f"recal / {peer}, peak memory of a training step, {size}",
                     data.ratio(Source(RECAL, f"memory/none/{size}"), Source(peer, f"memory/none/{size}")), at_most=0.7)
               for size in TRAINING]
    return claims


def all_claims(data: Measurements) -> list[Claim]:
    claims = module_claims(data) + tail_claims(data) + convolution_claims(data) + step_claims(data)
    peers = [library for library in data.libraries() if library.startswith("pytorch-")]
    for peer in peers or ["pytorch"]:
        claims += pytorch_claims(data, peer)
    return claims


def self_test() -> None:
    own, peer = Source(RECAL, "own"), Source("peer", "own")
    data = Measurements()
    for round_, value in ((1, 2.0), (1, 30.0), (1, 8.0), (2, 11.0)):
        data.add(own, Sample(round_, value))
    for round_, value in ((1, 16.0), (1, 24.0), (2, 99.0), (3, 1.0)):
        data.add(peer, Sample(round_, value))

    assert data.median(own) == 9.5
    assert data.ratio(peer, own) == (20.0 / 8.0 + 99.0 / 11.0) / 2, "by round, not median over median"
    assert data.ratio(own, Source(RECAL, "absent")) is None
    assert all_of(max, [1.0, None]) is None and all_of(max, []) is None and all_of(max, [1.0, 2.0]) == 2.0

    assert Claim("a", "", 1.0, at_most=1.0).line() == "claim a 1.000 <=1 ok"
    assert Claim("a", "", 1.01, at_most=1.0).line() == "claim a 1.010 <=1 short"
    assert Claim("a", "", 1.49, at_least=1.5).line() == "claim a 1.490 >=1.5 short"
    assert Claim("a", "", None, at_least=1.5).line() == "claim a missing >=1.5 short"
    assert Claim("a", "", float("nan"), at_most=1.0).verdict == "short"
    assert {claim.verdict for claim in all_claims(data)} == {"short"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, nargs="?", metavar="FOLDER")
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE", help="where to write the report (Markdown)")
    parser.add_argument("--self-test", action="store_true", help="test the arithmetic and leave")
    options = parser.parse_args()
    if options.self_test:
        self_test()
        return
    if options.folder is None:
        parser.error("FOLDER is missing")
    data = Measurements.read(options.folder)
    claims = all_claims(data)
    for claim in claims:
        print(claim.line())
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(report.markdown(claims, data), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
