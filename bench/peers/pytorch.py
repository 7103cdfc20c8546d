#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch on the work of recal_bench, under the same names, and the memory that a step of training takes. Prints JSON
in Google Benchmark's format."""

import argparse
import json
import math
import multiprocessing
import random
import re
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

WORKLOADS = {
    "64MiB": (16, 256, 64, 64),
    "98MiB": (256, 2048, 7, 7),
    "8x256x56x56": (8, 256, 56, 56),
    "8x512x28x28": (8, 512, 28, 28),
    "8x1024x14x14": (8, 1024, 14, 14),
    "8x2048x7x7": (8, 2048, 7, 7),
}
TRAINING = ((64, 16), (128, 16), (224, 8))
INFERENCE = ((224, 1), (224, 8))
CLASSES = 1000


class Srm(nn.Module):
    """As in the authors' code."""

    def __init__(self, channels):
        super().__init__()
        self.cfc = nn.Parameter(torch.zeros(channels, 2))
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x):
        planes = x.view(*x.shape[:2], -1)
        mean = planes.mean(dim=2, keepdim=True)
        std = (planes.var(dim=2, keepdim=True) + 1e-5).sqrt()
        style = torch.cat((mean, std), dim=2)
        z = (style * self.cfc).sum(dim=2)[:, :, None, None]
        return x * torch.sigmoid(self.bn(z))


class Se(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // 16, 1)
        self.fc2 = nn.Conv2d(channels // 16, channels, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class Ge(nn.Module):
    """Over the whole map, without parameters."""

    def __init__(self, channels):
        super().__init__()

    def forward(self, x):
        return x * torch.sigmoid(x.mean((2, 3), keepdim=True))


class Eca(nn.Module):
    def __init__(self, channels):
        super().__init__()
        width = int(abs(math.log2(channels) + 1) / 2)
        width += 1 - width % 2
        self.conv = nn.Conv1d(1, 1, width, padding=width // 2, bias=False)

    def forward(self, x):
        means = x.mean((2, 3))
        return x * torch.sigmoid(self.conv(means[:, None]))[:, 0, :, None, None]


MODULES = {"srm": Srm, "se": Se, "ge": Ge, "eca": Eca}


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride, module):
        super().__init__()
        outputs = 4 * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.module = MODULES[module](outputs) if module in MODULES else nn.Identity()
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.module(self.bn3(self.conv3(y)))
        y += self.downsample(x)
        return self.relu(y)


def resnet50(module):
    """torchvision's, with a module after the last norm of every block."""
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for stage, depth in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(depth):
            layers.append(Bottleneck(inputs, width, 2 if stage > 0 and block == 0 else 1, module))
            inputs = 4 * width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, CLASSES)]
    return nn.Sequential(*layers)


def module_call(name, mode, shape, prepare):
    own = MODULES[name](shape[1]).train(mode != "infer")
    module = prepare(own)
    x = (2 * torch.rand(shape) - 1).requires_grad_(mode != "infer")
    dy = torch.rand(shape)

    @torch.no_grad()
    def infer():
        module(x)

    def forward():
        module(x)

    def forward_backward():
        x.grad = None
        own.zero_grad()
        module(x).backward(dy)

    return {"infer": infer, "forward": forward, "forward_backward": forward_backward}[mode]


def training_call(name, pixels, batch, prepare):
    own = resnet50(name).train()
    net = prepare(own)
    optimiser = torch.optim.SGD(own.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)
    images = 2 * torch.rand(batch, 3, pixels, pixels) - 1
    labels = torch.arange(batch) * 37 % CLASSES

    def train():
        optimiser.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        optimiser.step()

    return train


def inference_call(name, pixels, batch, prepare):
    net = prepare(resnet50(name).eval())
    images = 2 * torch.rand(batch, 3, pixels, pixels) - 1

    @torch.no_grad()
    def infer():
        net(images)

    return infer


def timed_benchmarks(prepare):
    """Names, and functions that make what is to be timed."""
    calls = {}
    for name in MODULES:
        for mode in ("infer", "forward", "forward_backward"):
            for size, shape in WORKLOADS.items():
                calls[f"module/{name}/{mode}/{size}"] = lambda n=name, m=mode, s=shape: module_call(n, m, s, prepare)
    for pixels, batch in TRAINING:
        calls[f"step/none/{pixels}px_b{batch}"] = lambda p=pixels, b=batch: training_call("none", p, b, prepare)
    for pixels, batch in INFERENCE:
        calls[f"inference/none/{pixels}px_b{batch}"] = lambda p=pixels, b=batch: inference_call("none", p, b, prepare)
    return calls


def milliseconds(make, calls=3, seconds=0.05):
    """The mean of at least so many calls that take so long, as Google Benchmark has it."""
    call = make()
    call()
    times = []
    while len(times) < calls or sum(times) < seconds:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.fmean(times)


def peak_mib():
    """The most memory that was resident so far. Not getrusage(), which starts from what the parent process held."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


def step_mib(threads, pixels, batch):
    """What two steps of training add to the peak; to be called in a fresh process."""
    torch.set_num_threads(threads)
    before = peak_mib()
    train = training_call("none", pixels, batch, lambda net: net)
    train()
    train()
    return peak_mib() - before


def in_fresh_process(function, *arguments):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--filter", default="", help="regular expression of names; one that starts with - leaves out")
    parser.add_argument("--out", type=argparse.FileType("w", encoding="utf-8"), default=sys.stdout)
    parser.add_argument("--compile", action="store_true", help="torch.compile() instead of eager execution")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    def wanted(name):
        found = re.search(options.filter.removeprefix("-"), name) is not None
        return found != options.filter.startswith("-")

    entries = []

    def add(name, repetition, value, unit):
        entries.append({"name": name, "run_type": "iteration", "repetition_index": repetition, "real_time": value,
                        "time_unit": unit})

    calls = timed_benchmarks(torch.compile if options.compile else lambda net: net)
    names = list(filter(wanted, calls))
    for repetition in range(options.repetitions):
        for name in random.sample(names, len(names)):
            add(name, repetition, milliseconds(calls[name]), "ms")
    for pixels, batch in () if options.compile else TRAINING:
        name = f"memory/none/{pixels}px_b{batch}"
        if wanted(name):
            add(name, 0, in_fresh_process(step_mib, options.threads, pixels, batch), "MiB")
    library = f"pytorch-{torch.__version__.split('+')[0]}" + ("-compile" if options.compile else "")
    context = {"library": library, "threads": str(torch.get_num_threads())}
    json.dump({"context": context, "benchmarks": entries}, options.out, indent=1)


if __name__ == "__main__":
    main()
