"""Networks that make maps, for the packages below model/preprocessors.

    python tests/reference/preprocessors.py [NAME...]     writes tests/fixtures/preprocessors/NAME.json: hed

The networks are small ones of controlnet_aux 0.0.10. Each fixture has the names and shapes of the published weights, and stores
how far a result moves when what it tests is changed. Needs controlnet_aux, einops, and opencv-python-headless 5.0.0.93.
"""
import importlib.util
import json
import pathlib
import sys
import types

import cv2
import numpy as np
import torch

import pipelines
from networks import stored
from sensitivity import measured
from weights import fill

OUT = pathlib.Path(__file__).parent.parent / "fixtures/preprocessors"
# The package's own __init__ imports all detectors, with all that they need.
package = types.ModuleType("controlnet_aux")
package.__path__ = importlib.util.find_spec("controlnet_aux").submodule_search_locations
sys.modules["controlnet_aux"] = package
from controlnet_aux import hed as aux_hed


def picture(name, height, width, levels):
    """[1, 3, height, width] in float32: whole numbers from 0 to levels - 1, the same for squares of 4 × 4 pixels."""
    return ((pipelines.picture(name, height, width).double() + 1) * levels / 2).floor().float()


def shapes(module):
    return {k: list(v.shape) for k, v in module.state_dict().items()}


def compared(name, run, changes):
    """What a fixture stores of a result: run(dtype) gives it, and each of changes gives another one, in float32."""
    want, half = run(torch.float32), run(torch.float16)
    moved = {what: measured(f"{name}, {what}", want, half, change()) for what, change in changes.items()}
    return stored(want) | dict(f16_error=max(m["f16_error"] for m in moved.values()), moves={what: m["moves"] for what, m in moved.items()})


def hed():
    """A dark picture, so that the logits stay in the range where the edges change. Its halves have odd sides."""
    channels, height, width = (4, 8, 8, 12, 12), 40, 56

    def build():
        net, before = aux_hed.ControlNetHED_Apache2(), 3
        for i, out in enumerate(channels):
            setattr(net, f"block{i + 1}", aux_hed.DoubleConvBlock(before, out, (2, 2, 3, 3, 3)[i]))
            before = out
        return net, fill(net, "hed/hed/")

    def edges(dtype, pool=torch.nn.functional.max_pool2d, norm=1):
        """What HEDdetector computes before its edges become a picture."""
        net, _ = build()
        net.norm.data *= norm
        before, torch.nn.functional.max_pool2d = torch.nn.functional.max_pool2d, pool
        logits = net.to(dtype)(picture("hed", height, width, 10).to(dtype))
        torch.nn.functional.max_pool2d = before
        logits = [cv2.resize(e.float().numpy()[0, 0], (width, height), interpolation=cv2.INTER_LINEAR) for e in logits]
        return torch.from_numpy(1 / (1 + np.exp(-np.mean(np.stack(logits, axis=2), axis=2).astype(np.float64))))

    changes = {"averages": lambda: edges(torch.float32, pool=torch.nn.functional.avg_pool2d), "no norm": lambda: edges(torch.float32, norm=0)}
    return dict(channels=channels, keys=build()[1], published=shapes(aux_hed.ControlNetHED_Apache2()), **compared("hed", edges, changes))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or ["hed"]:
        file = OUT / f"{name}.json"
        file.write_text(json.dumps(globals()[name](), separators=(",", ":")))
        print(file.name, file.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
