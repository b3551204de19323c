"""Writes fixtures/random/torch.json: what torch draws on the CPU.

Each case is a seed and a sequence of draws from one generator. Floats are stored as their
bits in hexadecimal. For long draws only both ends and a checksum are stored.

The script is not called random.py, because that would hide the standard library's module
from torch.
"""

import base64
import json
import pathlib

import torch
from diffusers.utils.torch_utils import randn_tensor

out = pathlib.Path(__file__).parent.parent / "fixtures" / "random" / "torch.json"


def bits(x):
    return base64.b64encode(x.contiguous().numpy().tobytes()).decode()


def draw(generator, size, dtype):
    x = torch.randn(size, generator=generator, dtype=dtype)
    if size <= 64:
        return {"size": size, "dtype": str(dtype)[6:], "bits": bits(x)}
    return {"size": size, "dtype": str(dtype)[6:], "head": bits(x[:40]), "tail": bits(x[-40:]), "sum": x.double().sum().item()}


def case(seed, sizes, dtype=torch.float32):
    g = torch.Generator().manual_seed(seed)
    return {"seed": str(seed), "draws": [draw(g, n, dtype) for n in sizes]}


f16 = torch.float16
cases = [case(42, [n]) for n in range(1, 42)]
cases += [
    case(0, [16384, 16384]),
    case(2**32 - 1, [4 * 64 * 64]),
    case(2**32 + 7, [20]),
    case(2**63 + 5, [33]),
    case(1234, [1, 2, 3, 16, 5, 17, 1, 100003, 7, 31, 4, 15, 64]),
    case(9, [3, 4096, 1, 33, 2, 2]),
    case(5, list(range(1, 33)), f16),
    case(6, [4096, 1000], f16),
]
g = torch.Generator().manual_seed(3)
mixed = {"seed": "3", "draws": [draw(g, n, t) for n, t in [(3, f16), (2, torch.float32), (18, f16), (18, torch.float32), (1, f16)]]}
cases.append(mixed)

lists = []
for seeds in ([11], [11, 12, 13]):
    gs = [torch.Generator().manual_seed(s) for s in seeds]
    x = randn_tensor((3, 4, 3, 2), generator=gs)
    y = randn_tensor((3, 4, 1, 1), generator=gs)
    lists.append({"seeds": seeds, "batch": 3, "items": [24, 4], "bits": [bits(x), bits(y)]})

out.write_text(json.dumps({"torch": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability(), "cases": cases, "lists": lists}, separators=(",", ":")))
