"""What is taken from image prompts, how several are combined, and the full-face adapter, for
model/guides and model/pipeline/adapters_test.go.

    python tests/reference/adapters.py FOLDER     writes tests/fixtures/adapters/adapters.json

FOLDER is a checkout of ComfyUI_IPAdapter_plus (github.com/cubiq/ComfyUI_IPAdapter_plus). Its
weights by layer are computed by its own lines, cut out of IPAdapterPlus.py and
CrossAttentionPatch.py. Model b of pipelines.py has Stable Diffusion 1.5's sixteen cross-attentions.
Each case stores how far its latents move when what it tests is changed.
"""
import json
import pathlib
import re
import sys
import textwrap

import diffusers
import torch
from diffusers.models import attention_processor

import pipelines
from sensitivity import measured, numbers

OUT = pathlib.Path(__file__).parent.parent / "fixtures/adapters"
TYPES = ["linear", "ease in", "ease out", "ease in-out", "reverse in-out", "weak input", "weak output", "weak middle", "strong middle", "style transfer", "composition",
         "strong style transfer", "style and composition", "style transfer precise", "composition precise"]
INSTANTSTYLE = {"instantstyle": ["up_blocks.1"], "instantstyle-layout": ["down_blocks.2", "mid_block", "up_blocks.1"]}


def cut(text, begin, end):
    return textwrap.dedent(text[text.index(begin):text.index(end, text.index(begin))])


def table(folder, kind):
    """The weight and the opposed layers of all sixteen, in the order in which they run: input, middle, output."""
    main, patch = ((folder / f).read_text() for f in ("IPAdapterPlus.py", "CrossAttentionPatch.py"))
    names = dict(weight=1.0, weight_composition=1.0, weight_type=kind, is_sdxl=False, layer_weights=None, style_boost=None, composition_boost=None)
    exec(cut(main, "    if layer_weights is not None and layer_weights", "    clipvision_size ="), names)
    # What follows a return is a layer without the picture.
    code = cut(patch, "    if weight_type == 'ease in':", "        if cond_alt is not None and t_idx").replace("return 0", "raise LookupError")
    weights, opposed = [], []
    for t_idx in range(16):
        inside = dict(weight=names["weight"], weight_type=kind, t_idx=t_idx, layers=16, cond=2, uncond=1, block_type="input" if t_idx < 6 else "middle" if t_idx == 6 else "output")
        try:
            exec(code, inside)
        except LookupError:
            inside = dict(weight=0.0, cond=2)
        weights.append(inside["weight"])
        opposed.append(inside["cond"] == 0)
    return weights, opposed


class OpposedProcessor(attention_processor.IPAdapterAttnProcessor2_0):
    """A layer in which the negative prompt's branch has the picture and the prompt's branch has zeros."""

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, **kwargs):
        words, pictures = encoder_hidden_states
        pictures = [torch.cat([p[1:], torch.zeros_like(p[1:])]) for p in pictures]
        return super().__call__(attn, hidden_states, (words, pictures), **kwargs)


def layers(unet):
    """attn2's names in the order in which they run, and their processors."""
    named = {n: p for n, p in unet.attn_processors.items() if n.endswith("attn2.processor")}
    return sorted(named.items(), key=lambda x: ["down", "mid_", "up_b"].index(x[0][:4]))


def weighted(tables):
    """A layer_scale for pipelines.run that sets the weights of a case's "layers"."""
    def layer_scale(unet, a):
        weights, opposed = tables[a.get("layers", "linear")]
        scale = {"down": {}, "mid": 0.0, "up": {}}
        for (name, processor), weight, away in zip(layers(unet), weights, opposed):
            if away:
                processor.__class__ = OpposedProcessor
            part, block = re.match(r"(down|mid|up)_blocks?\.?(\d*)", name).groups()
            if part == "mid":
                scale["mid"] = weight * a["scale"]
            else:
                scale[part].setdefault(f"block_{block}", []).append(weight * a["scale"])
        return scale
    return layer_scale


def cases():
    """Name, case, and what is changed in its adapter to see how far the latents move."""
    base = dict(dict(pipelines.cases())["a_text"], model="b", steps=2, height=64, width=64)
    one = dict(kind="global", scale=1.0, images=["p1"])
    for kind in ("ease in", "style transfer precise", "instantstyle"):
        yield kind.replace(" ", "-"), base, dict(one, layers=kind), dict(layers="linear")
    full = dict(kind="full", scale=1.0, images=["p2"])
    yield "full", base, full, dict(images=["p3"])
    for combine in ("average", "subtract", "norm-average"):
        yield combine, base, dict(one, images=["p1", "p3", "p4"], combine=combine), dict(images=["p1"]) if combine == "average" else dict(combine="average")
    yield "negative", base, dict(one, negative="p5"), dict(negative="p2")
    yield "negative_plus", base, dict(one, kind="plus", images=["p1", "p3"], negative="p5"), dict(negative="p2")


def main():
    pipelines.float32_draws()
    pipelines.KINDS += ("full",)
    folder = pathlib.Path(sys.argv[1])
    tables = {kind: table(folder, kind) for kind in TYPES}
    parts, keys, _ = pipelines.build("b")
    unet = parts["unet"]
    names = [n for n in unet.state_dict() if n.endswith("attn2.to_k.weight")]
    names.sort(key=lambda n: ["down", "mid_", "up_b"].index(n[:4]))
    for name, blocks in INSTANTSTYLE.items():
        tables[name] = [float(any(n.startswith(b + ".") for b in blocks)) for n in names], [False] * 16
    pipelines.layer_scale = weighted(tables)
    fixture = dict(diffusers=diffusers.__version__, tables={k.replace(" ", "-"): dict(weights=w, opposed=o) for k, (w, o) in tables.items()}, full=keys["full"], cases={})
    OUT.mkdir(parents=True, exist_ok=True)
    for name, base, adapter, change in cases():
        case, changed = dict(base, adapters=[adapter]), dict(base, adapters=[adapter | change])
        want, half, other = (pipelines.run(c, t)[0] for c, t in ((case, torch.float32), (case, torch.float16), (changed, torch.float32)))
        adapter = dict(adapter, layers=adapter.get("layers", "all").replace(" ", "-"))
        fixture["cases"][name] = dict(base, adapters=[adapter], latents=numbers(want), **measured(name, want, half, other))
    (OUT / "adapters.json").write_text(json.dumps(fixture, separators=(",", ":")))


if __name__ == "__main__":
    main()
