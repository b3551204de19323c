"""Single operations of SD 1.5 at 512 × 512, as ONNX and as numbers, for ./build.sh bench ops.

    python tests/reference/onnx_ops.py --out .build/bench/ops

For every operation it writes NAME.f32.onnx and NAME.f16.onnx, which hold its weights; the
same weights and the inputs as NAME.*.bin (float32, but all numbers are float16 numbers); and
torch's result in float32 as NAME.y.bin. ops.json lists the operations.
"""
import argparse
import json
import pathlib
import warnings

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from onnx_unet import SCALE, MultiHeadAttention
from weights import uniform


def numbers(name, shape, scale):
    v = uniform("bench/ops/" + name, int(np.prod(shape))) * scale * 3 ** 0.5
    return torch.from_numpy(v.astype(np.float16).astype(np.float32).reshape(shape))


class Op(nn.Module):
    def __init__(self, name, kind, inputs, weight=None, bias=False, heads=0):
        super().__init__()
        self.name, self.kind, self.heads = name, kind, heads
        self.inputs = {k: numbers(f"{name}/{k}", s, 1) for k, s in inputs.items()}
        if weight:
            self.weight = nn.Parameter(numbers(name + "/weight", weight, np.prod(weight[1:]) ** -0.5))
        self.bias = nn.Parameter(numbers(name + "/bias", weight[:1], 0.1)) if bias else None

    def forward(self, *args):
        x = dict(zip(self.inputs, args))
        if self.kind == "conv":
            return F.conv2d(x["x"], self.weight, self.bias, padding=1)
        if self.kind == "attention":
            y = MultiHeadAttention.apply(x["q"], x["k"], x["v"], self.heads)
            if "k_ip" in x:
                y = y + SCALE * MultiHeadAttention.apply(x["q"], x["k_ip"], x["v_ip"], self.heads)
            return y
        y = F.linear(x["x"], self.weight, self.bias)
        if self.kind == "geglu":
            y, gate = y.chunk(2, -1)
            y = y * F.gelu(gate)
        return y + x["residual"] if "residual" in x else y


def operations():
    for c, size in ((320, 64), (640, 32), (1280, 16)):
        yield Op(f"conv 3x3 {c} at {size}²", "conv", dict(x=[1, c, size, size]), [c, c, 3, 3], True)
    for c, tokens in ((320, 4096), (640, 1024), (1280, 256)):
        x = [1, tokens, c]
        yield Op(f"to_q {c}", "linear", dict(x=x), [c, c])
        yield Op(f"to_out {c} + residual", "linear", dict(x=x, residual=x), [c, c], True)
        yield Op(f"feed-forward in {c} (GEGLU)", "geglu", dict(x=x), [8 * c, c], True)
        yield Op(f"feed-forward out {c} + residual", "linear", dict(x=[1, tokens, 4 * c], residual=x), [c, 4 * c], True)
    for c, tokens in ((320, 4096), (640, 1024), (1280, 256)):
        x, words, picture = [1, tokens, c], [1, 77, c], [1, 4, c]
        yield Op(f"self-attention {tokens} x 8 x {c // 8}", "attention", dict(q=x, k=x, v=x), heads=8)
        yield Op(f"cross-attention {tokens} x 8 x {c // 8}", "attention", dict(q=x, k=words, v=words, k_ip=picture, v_ip=picture), heads=8)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--out", type=pathlib.Path, required=True)
    a = a.parse_args()
    torch.set_grad_enabled(False)
    a.out.mkdir(parents=True, exist_ok=True)
    listed = []
    for i, op in enumerate(operations()):
        file = f"{i:02d}"
        args = tuple(op.inputs.values())
        want = op(*args)
        tensors = op.inputs | {k: v.data for k, v in op.named_parameters()}
        for k, v in (tensors | dict(y=want)).items():
            (a.out / f"{file}.{k}.bin").write_bytes(v.numpy().tobytes())
        for kind, dtype in (("f32", torch.float32), ("f16", torch.float16)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.onnx.export(op.to(dtype), tuple(x.to(dtype) for x in args), str(a.out / f"{file}.{kind}.onnx"), opset_version=18, dynamo=False,
                                  custom_opsets={"com.microsoft": 1}, input_names=list(op.inputs), output_names=["y"])
        listed.append(dict(name=op.name, file=file, kind=op.kind, heads=op.heads, scale=SCALE, inputs=list(op.inputs),
                           shapes={k: list(v.shape) for k, v in (tensors | dict(y=want)).items()}))
    (a.out / "ops.json").write_text(json.dumps(listed))
    print(f"{a.out}: {len(listed)} operations")


if __name__ == "__main__":
    main()
