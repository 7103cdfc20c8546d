# SPDX-License-Identifier: Apache-2.0
"""peer_torch.py: the rows of device_bench for SRM, SE and GE, and their residual tails, written in PyTorch, eager and with
torch.compile.

Same shapes, same counting of bytes, medians of 20 by CUDA events. Exits with 77 without PyTorch or a card.
"""

import statistics
import sys

try:
    import torch
except ImportError:
    print("no PyTorch in this Python")
    sys.exit(77)

SHAPES = [(32, 256, 56, 56), (32, 512, 28, 28), (32, 1024, 14, 14), (32, 2048, 7, 7)]
WARM_UP, REPETITIONS = 5, 20


class Srm(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.cfc = torch.nn.Parameter(torch.zeros(channels, 2))
        self.bn = torch.nn.BatchNorm2d(channels)

    def forward(self, x):
        flat = x.flatten(2).float()
        sigma = (flat.var(dim=2, unbiased=True) + 1e-5).sqrt()
        z = (torch.stack((flat.mean(dim=2), sigma), dim=2) * self.cfc).sum(dim=2)
        gate = torch.sigmoid(self.bn(z[:, :, None, None]))
        return x * gate.to(x.dtype)


class Se(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1 = torch.nn.Linear(channels, max(1, channels // 16))
        self.fc2 = torch.nn.Linear(max(1, channels // 16), channels)

    def forward(self, x):
        z = self.fc2(torch.relu(self.fc1(x.mean(dim=(2, 3), dtype=torch.float32))))
        return x * torch.sigmoid(z)[:, :, None, None].to(x.dtype)


class Ge(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()

    def forward(self, x):
        return x * torch.sigmoid(x.mean(dim=(2, 3), keepdim=True))


class Tail(torch.nn.Module):
    """The end of a residual block: batch norm (none at inference, as in device_bench), the module, the add, the ReLU."""

    def __init__(self, channels, gating, shortcut):
        super().__init__()
        self.bn = torch.nn.BatchNorm2d(channels)
        self.gating = gating
        self.shortcut = shortcut

    def forward(self, x):
        y = self.bn(x) if self.training else x
        return torch.relu(self.gating(y) + self.shortcut)


def median_ms(run):
    times = []
    for i in range(WARM_UP + REPETITIONS):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        run()
        end.record()
        torch.cuda.synchronize()
        if i >= WARM_UP:
            times.append(begin.elapsed_time(end))
    return statistics.median_high(times)


def print_row(name, element, shape, passes, ms, tensors, x):
    rate = tensors * x.numel() * x.element_size() / ms / 1e6
    print(f"{name:<18} {element:<9} {'x'.join(map(str, shape)):<16} {passes:<9} {ms:9.4f} ms {rate:8.1f} GB/s", flush=True)


def measure(name, module, element, shape, x, moved, inputs):
    infer, forward, backward = moved
    with torch.no_grad():
        module.eval()
        print_row(name, element, shape, "infer", median_ms(lambda: module(x)), infer, x)
    module.train()
    print_row(name, element, shape, "forward", median_ms(lambda: module(inputs[0])), forward, x)
    y = module(inputs[0])
    print_row(name, element, shape, "backward",
              median_ms(lambda: torch.autograd.grad(y, inputs, x, retain_graph=True)), backward, x)


def units(channels, x):
    """Name, module, tensors moved as device_bench counts them, and what else wants a gradient."""
    for name, make in (("SRM", Srm), ("SE", Se), ("GE", Ge)):
        yield name, make(channels), (3, 3, 5), []
    for name, make in (("SRM tail", Srm), ("SE tail", Se), ("GE tail", Ge)):
        shortcut = x.flip(0).clone().requires_grad_()
        yield name, Tail(channels, make(channels), shortcut), (4, 4, 7), [shortcut]


def main():
    if not torch.cuda.is_available():
        print("no CUDA card for PyTorch")
        sys.exit(77)
    print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name()}")
    for shape in SHAPES:
        for element, dtype in (("float", torch.float32), ("half", torch.float16)):
            x = torch.rand(shape, device="cuda").to(dtype)
            for name, module, moved, others in units(shape[1], x):
                module = module.cuda()
                inputs = [x.detach().clone().requires_grad_(), *others, *module.parameters()]
                measure(name + "/torch", module, element, shape, x, moved, inputs)
                try:
                    torch._dynamo.reset()
                    measure(name + "/compiled", torch.compile(module, dynamic=False), element, shape, x, moved, inputs)
                except Exception as error:  # torch.compile needs a compiler that the machine may lack
                    print(f"{name}/compiled: {type(error).__name__}: {str(error).splitlines()[0][:100]}", flush=True)


if __name__ == "__main__":
    main()
