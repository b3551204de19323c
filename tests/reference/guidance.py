"""Guidance in a part of the steps, on the small models of pipelines.py.

    python tests/reference/guidance.py               writes tests/fixtures/guidance/guidance.json
    python tests/reference/guidance.py --case early  prints one case, and writes nothing

diffusers' ClassifierFreeGuidance, whose start and stop are fractions of the steps, says which steps are guided. In
the others the pipelines run with a guidance scale of 1, which gives the prompt's prediction. Each case has diffusers'
own float16 error, and how far its latents move if what it tests is changed (sensitivity.py).
"""
import pathlib

from diffusers.guiders import ClassifierFreeGuidance

import pipelines
import sensitivity

OUT = pathlib.Path(__file__).parent.parent / "fixtures/guidance"
NONE = 1 + 1e-9  # the pipelines compute both branches if the scale is above 1, and in float32 this is 1


def scales(case):
    """The guidance scale of each step."""
    guider = ClassifierFreeGuidance(case["guidance"], start=case["guidance_start"], stop=case["guidance_stop"])
    steps = int(case["steps"] * case["strength"]) if case["kind"] else case["steps"]
    for i in range(steps):
        guider.set_state(i, steps, None)
        yield case["guidance"] if guider._is_cfg_enabled() else NONE


def run(case, dtype):
    by_step = list(scales(case))

    def next_scale(pipe, i, t, kwargs):
        if i + 1 < len(by_step):
            pipe._guidance_scale = by_step[i + 1]
        return {}

    return pipelines.run(dict(case, guidance=by_step[0]), dtype, arguments=dict(callback_on_step_end=next_scale))[0]


def cases():
    given = dict(pipelines.cases())
    base = dict(given["a_text"], steps=5, height=64, width=64, guidance=7.5, scheduler="dpmpp_2m", num_images=1, guidance_start=0.0, guidance_stop=1.0)
    adapters = [dict(kind="plus", scale=0.8, images=["one"]), dict(kind="global", scale=0.5, images=["two"])]
    yield "early", dict(base, guidance_stop=0.2)
    yield "late", dict(base, guidance_start=0.4, scheduler="ddim")
    yield "middle", dict(base, guidance_start=0.2, guidance_stop=0.8, adapters=adapters)
    yield "img2img", dict(base, kind="img2img", strength=0.8, guidance_start=0.5, scheduler="euler")


def changes(case):
    yield "guidance in all steps", dict(case, guidance_start=0.0, guidance_stop=1.0)
    yield "guidance in no step", dict(case, guidance_stop=case["guidance_start"])
    yield "scale", dict(case, guidance=case["guidance"] / 2)


if __name__ == "__main__":
    sensitivity.main(OUT / "guidance.json", cases(), changes, run)
