"""Token merging (ToMe) on the small models of pipelines.py.

    python tests/reference/tome.py             writes tests/fixtures/tome/tome.json
    python tests/reference/tome.py --case odd  prints one case, and writes nothing

The package tomesd (0.1.3) computes it around diffusers' pipelines, with its defaults and without random numbers
(use_rand=False). Each case has diffusers' own float16 error, and how far its latents move if what it tests is changed
(sensitivity.py).

Which tokens are merged is a choice, and rounding may turn it where two similarities are nearly the same: another
choice would move the latents by more than their tolerance. So each case has the least difference between a similarity
that was chosen and the next one, and cases in which it is small are refused.
"""
import pathlib

import tomesd
import torch
from DeepCache import DeepCacheSDHelper

import pipelines
import sensitivity

OUT = pathlib.Path(__file__).parent.parent / "fixtures/tome"
LEAST_MARGIN = 2e-3  # float16 moves a cosine by a few 1e-4
margins = []
match = tomesd.merge.bipartite_soft_matching_random2d


def matched(metric, w, h, sx, sy, r, no_rand=False, generator=None):
    """The package's function. It notes by how much each choice was clear."""
    x = (metric / metric.norm(dim=-1, keepdim=True)).float().unflatten(1, (h, w))
    is_dst = (torch.arange(h)[:, None] % sy == 0) & (torch.arange(w) % sx == 0)
    is_dst[h // sy * sy:], is_dst[:, w // sx * sx:] = False, False
    best = (x[:, ~is_dst] @ x[:, is_dst].mT).topk(2).values
    order = best[..., 0].sort(dim=1, descending=True)
    nearest = (best[..., 0] - best[..., 1]).gather(1, order.indices)[:, :r]
    margins.append(float(nearest.min()))
    if r < order.values.shape[1]:
        margins.append(float((order.values[:, r - 1] - order.values[:, r]).min()))
    return match(metric, w, h, sx, sy, r, no_rand, generator)


def run(case, dtype):
    def prepare(pipe):
        if case["tome_ratio"]:
            tomesd.apply_patch(pipe, ratio=case["tome_ratio"], use_rand=False)
        if case.get("cache_interval", 1) > 1:
            helper = DeepCacheSDHelper(pipe)
            helper.set_params(cache_interval=case["cache_interval"])
            helper.enable()

    margins.clear()
    latents = pipelines.run(case, dtype, prepare=prepare)[0]
    if dtype == torch.float32 and case["tome_ratio"] and case["margin"] is None:
        case["margin"] = sensitivity.number(min(margins))
        if case["margin"] < LEAST_MARGIN:
            raise SystemExit(f"rounding may choose other tokens: two similarities differ by {case['margin']}. Choose another seed")
    return latents


def cases():
    base = dict(dict(pipelines.cases())["a_text"], steps=2, height=32, width=32, num_images=1, tome_ratio=0.5, margin=None)
    one, plus = dict(kind="global", scale=0.6, images=["p1"]), dict(kind="plus", scale=0.8, images=["p2"])
    yield "text", dict(base, seed=24)
    yield "odd", dict(base, height=40, width=24, scheduler="euler", adapters=[one, plus], tome_ratio=0.3, guidance=5.0, seed=15)
    yield "all", dict(base, model="b", scheduler="dpmpp_2m", tome_ratio=0.75, guidance=1.0, seed=35)
    yield "cached", dict(base, steps=3, cache_interval=2, adapters=[dict(one, mask=[0, 16]), plus], seed=6)
    yield "img2img", dict(base, kind="img2img", strength=0.8, steps=3, seed=38)


def changes(case):
    yield "no tokens are merged", dict(case, tome_ratio=0.0)


if __name__ == "__main__":
    tomesd.merge.bipartite_soft_matching_random2d = matched
    sensitivity.main(OUT / "tome.json", cases(), changes, run)
