"""The output of diffusers' UNet when something steers it, on the models of pipelines.py.

    python tests/reference/taps.py                  writes tests/fixtures/taps/taps.json
    python tests/reference/taps.py --case skips     prints one case, and writes nothing

Each case is one place at which guides steer the UNet (model/unet/taps.go). Inputs are hashes,
as in networks.py, so only outputs are stored, channels last. Each has diffusers' own float16
error, and how far the output moves if the steering input is halved and if it is removed
(relative L2). A case that moves less than 20 times its tolerance would not show an error, so
the script refuses it.
"""
import argparse
import json
import pathlib

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor

import pipelines  # which turns gradients off
from networks import LATENTS, compare, first, given, last, stored
from pipelines import DIM, MODELS
from weights import fill

OUT = pathlib.Path(__file__).parent.parent / "fixtures/taps"
TIMESTEP = 481
LAMBDA = 0.7  # of the case skips_lambda


def unet(model, dtype, **config):
    u = UNet2DConditionModel(**MODELS[model]["unet"], **config).eval()
    fill(u, f"{model}/unet/")
    return u.to(dtype)


def inputs(model, dtype, name="sample"):
    c = MODELS[model]["unet"].get("in_channels", 4)
    return first(given(model, name, 2, *LATENTS, c, dtype=dtype)), given(model, "encoder_hidden_states", 2, 16, DIM, dtype=dtype)


def residual_shapes(model):
    """The shapes, channels last, of all skips, of the mid block's result, and of every down block's result."""
    u = unet(model, torch.float32)
    skips, mid, down = [], [], []

    def seen(module, args, out):
        if module is u.conv_in:
            skips.append(out)
        elif module is u.mid_block:
            mid.append(out)
        else:
            skips.extend(out[1])
            down.append(out[1][len(module.resnets) - 1] if hasattr(module, "attentions") else out[0])
    for m in (u.conv_in, u.mid_block, *u.down_blocks):
        m.register_forward_hook(seen)
    x, words = inputs(model, torch.float32)
    u(x, TIMESTEP, encoder_hidden_states=words)
    shape = lambda h: (h.shape[2], h.shape[3], h.shape[1])
    return [shape(h) for h in skips], shape(mid[0]), [shape(h) for h in down]


def skips(model, dtype, strength):
    """A ControlNet's residuals."""
    shapes, mid, _ = residual_shapes(model)
    x, words = inputs(model, dtype)
    residual = lambda name, shape: strength * first(given(model, name, 2, *shape, dtype=dtype))
    return unet(model, dtype)(x, TIMESTEP, encoder_hidden_states=words,
                              down_block_additional_residuals=[residual(f"skip {i}", s) for i, s in enumerate(shapes)],
                              mid_block_additional_residual=residual("mid", mid)).sample


def skips_lambda(model, dtype, strength):
    """The same for both branches of guidance, times λ and a mask."""
    shapes, mid, _ = residual_shapes(model)
    x, words = inputs(model, dtype)

    def residual(name, shape):
        r = given(model, name, 1, *shape, dtype=dtype).float()
        mask = 0.5 + 0.5 * given(model, name + " mask", 1, *shape[:2], 1, dtype=torch.float32)
        return (strength * LAMBDA * first(mask * r).repeat(2, 1, 1, 1)).to(dtype)
    return unet(model, dtype)(x, TIMESTEP, encoder_hidden_states=words,
                              down_block_additional_residuals=[residual(f"skip {i}", s) for i, s in enumerate(shapes)],
                              mid_block_additional_residual=residual("mid", mid)).sample


def down(model, dtype, strength):
    """A T2I-Adapter's features."""
    _, _, shapes = residual_shapes(model)
    x, words = inputs(model, dtype)
    features = [strength * first(given(model, f"down {i}", 2, *s, dtype=dtype)) for i, s in enumerate(shapes)]
    return unet(model, dtype)(x, TIMESTEP, encoder_hidden_states=words, down_intrablock_additional_residuals=features).sample


def time(model, dtype, strength):
    """A class embedding, or another vector that is added to the time embedding."""
    x, words = inputs(model, dtype)
    u = unet(model, dtype, class_embed_type="identity")
    dim = u.time_embedding.linear_2.out_features
    vector = 2 * strength * given(model, "class embedding", dim, dtype=dtype)
    return u(x, TIMESTEP, encoder_hidden_states=words, class_labels=vector[None].repeat(2, 1)).sample


class Reference(AttnProcessor):
    """A self-attention that stores the hidden states that it reads, or reads stored ones after its own."""

    def __init__(self):
        self.bank, self.reading, self.strength = None, False, 1.0

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, **kw):
        if not self.reading:
            self.bank = hidden_states
            return super().__call__(attn, hidden_states, **kw)
        if self.strength == 0:
            return super().__call__(attn, hidden_states, **kw)
        return super().__call__(attn, hidden_states, torch.cat([hidden_states, self.strength * self.bank], 1), **kw)


def self_attention(model, dtype, strength):
    """Reference-only: another picture's hidden states, from the same step, after the picture's own."""
    u = unet(model, dtype)
    ours = {name: Reference() if name.endswith("attn1.processor") else p for name, p in u.attn_processors.items()}
    u.set_attn_processor(dict(ours))
    x, words = inputs(model, dtype)
    reference, _ = inputs(model, dtype, "reference")
    u(reference, TIMESTEP, encoder_hidden_states=words)
    for p in ours.values():
        if isinstance(p, Reference):
            p.reading, p.strength = True, strength
    return u(x, TIMESTEP, encoder_hidden_states=words).sample


CASES = dict(skips=skips, skips_lambda=skips_lambda, down=down, time=time, self=self_attention)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--case", choices=CASES, help="this one only, printed")
    a = a.parse_args()
    fixture = dict(timestep=TIMESTEP, latents=LATENTS, cases={}, **{"lambda": LAMBDA})
    for model in ("a", "b"):
        for name, run in CASES.items():
            if a.case not in (None, name):
                continue
            want, half = last(run(model, torch.float32, 1.0)), last(run(model, torch.float16, 1.0))
            case = compare(want, half)
            moves = {k: float((last(run(model, torch.float32, s)) - want).norm() / want.norm()) for k, s in (("halved", 0.5), ("out", 0.0))}
            tolerance = max(1e-3, 2 * case["f16_error"])
            print(f"{model}/{name}", list(want.shape), "float16 error %.2g" % case["f16_error"], "moves", {k: float("%.2g" % v) for k, v in moves.items()}, flush=True)
            if min(moves.values()) < 20 * tolerance:
                raise SystemExit(f"{model}/{name} moves by {moves}, which is less than 20 times the tolerance, {tolerance:.2g}")
            fixture["cases"][f"{model}/{name}"] = case | dict(moves=moves) | stored(want)
    if not a.case:
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / "taps.json").write_text(json.dumps(fixture, separators=(",", ":")))


if __name__ == "__main__":
    main()
