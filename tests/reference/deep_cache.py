"""DeepCache on the small models of pipelines.py.

    python tests/reference/deep_cache.py               writes tests/fixtures/deep_cache/deep_cache.json
    python tests/reference/deep_cache.py --case every  prints one case, and writes nothing
    python tests/reference/deep_cache.py --controlnet  the same with ControlNets, in tests/fixtures/deep_cache/controlnet.json

The package DeepCache (0.1.1) computes it, with cache_branch_id 0, around diffusers' pipelines. Each case has
diffusers' own float16 error, and how far its latents move if what it tests is changed (sensitivity.py).
"""
import pathlib
import sys

from DeepCache import DeepCacheSDHelper

import controlnet
import pipelines
import sensitivity

OUT = pathlib.Path(__file__).parent.parent / "fixtures/deep_cache"


def run(case, dtype):
    def prepare(pipe):
        if case["cache_interval"] > 1:
            helper = DeepCacheSDHelper(pipe)
            helper.set_params(cache_interval=case["cache_interval"])
            helper.enable()

    if "controlnets" in case:
        return controlnet.run(case, dtype, prepare)
    return pipelines.run(case, dtype, prepare=prepare)[0]


def cases():
    given = dict(pipelines.cases())
    base = dict(given["a_text"], steps=5, height=64, width=64, scheduler="dpmpp_2m", num_images=1)
    adapters = [dict(kind="plus", scale=0.8, images=["one"]), dict(kind="global", scale=0.5, images=["two"])]
    yield "two", dict(base, model="b", cache_interval=2, adapters=adapters)
    yield "three", dict(base, model="b", cache_interval=3, scheduler="ddim")
    yield "img2img", dict(base, kind="img2img", strength=0.8, cache_interval=2, scheduler="euler", guidance=1.0)


def controlled():
    base = dict(dict(controlnet.cases())["a_text"], steps=5, height=64, width=64, cache_interval=2)
    edges = dict(net="edges", scale=1.0, map="c1")
    yield "balanced", dict(base, model="b", controlnets=[dict(edges, scale=2.0, start=0.2)])
    yield "guess", dict(base, steps=6, cache_interval=4, scheduler="dpmpp_2m", guidance=3.0, controlnets=[edges], balance="guess")


def changes(case):
    yield "every step is whole", dict(case, cache_interval=1)
    yield "another interval", dict(case, cache_interval=5 - case["cache_interval"])


if __name__ == "__main__":
    if "--controlnet" in sys.argv:
        sys.argv.remove("--controlnet")
        sensitivity.main(OUT / "controlnet.json", controlled(), changes, run)
    else:
        sensitivity.main(OUT / "deep_cache.json", cases(), changes, run)
