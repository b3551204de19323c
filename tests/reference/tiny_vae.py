"""A tiny autoencoder (AutoencoderTiny, TAESD), for model/vae and model/pipeline/tiny_vae_test.go.

    python tests/reference/tiny_vae.py     writes tests/fixtures/tiny_vae/tiny_vae.json

Its halves alone, and whole pipelines that begin from a picture and have it in place of the VAE: its
encoder has no posterior, so diffusers draws no random numbers for it. The decoder's input goes
beyond what its tanh leaves alone. Each case stores how far its latents move when the model's own VAE
encodes the picture, and every seventh number of its picture.
"""
import json
import pathlib

import torch
from diffusers import AutoencoderTiny

import pipelines
from networks import compare, first, given, last, stored
from sensitivity import measured, numbers
from weights import fill

OUT = pathlib.Path(__file__).parent.parent / "fixtures/tiny_vae"
PIXELS = (24, 40)
CONFIG = dict(encoder_block_out_channels=(12,) * 4, decoder_block_out_channels=(8,) * 4, num_encoder_blocks=(1, 2, 1, 1), num_decoder_blocks=(2, 1, 1, 1))


def build(dtype=torch.float32):
    tiny = AutoencoderTiny(**CONFIG).eval()
    keys = fill(tiny, "tiny/vae/")
    return tiny.to(dtype), keys


def outputs(dtype):
    tiny, _ = build(dtype)
    yield "encode", last(tiny.encode(first(given("tiny", "pixels", 1, *PIXELS, 3, dtype=dtype))).latents)
    yield "decode", last(tiny.decode(first(4 * given("tiny", "latents", 1, *(p // 8 for p in PIXELS), 4, dtype=dtype))).sample)


def run(case, dtype):
    """A case's latents and its picture, channels last."""
    def prepare(pipe):
        pipe.vae = build(dtype)[0]
    latents, pipe = pipelines.run(case, dtype, prepare=prepare)
    return latents, last(pipe.vae.decode(latents.to(dtype)).sample.float())


def cases():
    base = dict(dict(pipelines.cases())["a_text"], height=64, width=64, steps=4)
    yield "img2img", dict(base, kind="img2img", strength=0.5, scheduler="euler_a")
    yield "inpaint", dict(base, kind="inpaint", model="c", strength=0.5, scheduler="euler")


def main():
    pipelines.float32_draws()
    tiny, keys = build()
    fixture = dict(keys=keys, config=json.loads(tiny.to_json_string()), pixels=PIXELS, networks={}, cases={})
    for (name, want), (_, half) in zip(outputs(torch.float32), outputs(torch.float16)):
        fixture["networks"][name] = compare(want, half) | stored(want)
        print(name, list(want.shape), "rms %.3g" % want.pow(2).mean().sqrt(), "float16 error %.2g" % fixture["networks"][name]["f16_error"])
    unlimited = build()[0]
    x = first(4 * given("tiny", "latents", 1, *(p // 8 for p in PIXELS), 4, dtype=torch.float32))
    without = last(unlimited.decoder.layers(x).mul(2).sub(1))
    fixture["networks"]["decode"] |= measured("the decoder without the tanh", torch.tensor(fixture["networks"]["decode"]["values"]).view(without.shape),
                                              dict(outputs(torch.float16))["decode"], without)
    for name, case in cases():
        (want, picture), (half, half_picture), other = run(case, torch.float32), run(case, torch.float16), pipelines.run(case, torch.float32)[0]
        fixture["cases"][name] = case | dict(latents=numbers(want), picture=numbers(picture.flatten()[::7]),
                                             picture_f16_error=compare(picture, half_picture)["f16_error"], **measured(name, want, half, other))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "tiny_vae.json").write_text(json.dumps(fixture, separators=(",", ":")))


if __name__ == "__main__":
    main()
