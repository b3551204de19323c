"""Hidden states of weighted prompts, of prompts without the last layers, and of textual
inversions, for model/prompt and model/pipeline/words_test.go.

    python tests/reference/words.py FILE   writes tests/fixtures/words/words.json

FILE is examples/community/lpw_stable_diffusion.py of diffusers 0.33.1. The script needs that
diffusers and transformers 4.49: with transformers 5 the pipeline in FILE fails, and so does the
clip_skip of diffusers 0.42 itself. The text encoder is model a's of pipelines.py, whose chunks have
16 tokens; its vocabulary is write_tokenizer's. Each case stores how far the hidden states move
when what it tests is changed.
"""
import importlib.util
import json
import pathlib
import sys
import tempfile

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from pipelines import MODELS, write_tokenizer
from sensitivity import measured, numbers
from weights import tensor, uniform

OUT = pathlib.Path(__file__).parent.parent / "fixtures/words"

TEXTS = [  # parsed, and not encoded
    "", "normal text", "an (important) word", "(unbalanced", r"\(literal\]", "(unnecessary)(parens)",
    "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).", "[a (b:0.3) c", "a) b] c", r"back\slash \\ end\\", "(a:-0.5) (b:+2) (c:.25)", "[a:0.5]",
    "time: 12:30 (noon:1.2)", "((a)(b:2)", "()[]", "(:1.5)", "a:b:c", "(a:b:1.4)", "näme (été:1.1) 雪", "a\nb (c\nd:1.2)",
]
WEIGHTED = {  # prompt, negative prompt, and a prompt whose states must differ (as those of a weight of 2.5 must from 1.5)
    "one_word": ("the (fox:1.3)", "", "the fox"),
    "less": ("the [[[[blue]]]] [cat], ((((red", "a (thing:0.2)", "the blue cat, red"),
    "nested": ("a ((fox) and [cat:0.2]) in", "(blue:1.7)", "a (fox) and [cat] in"),
    "chunks": ("the fox and the cat and the shop on the blue king, (red:1.4) fox and a cat or the thing", "blue", "the fox and the cat and the shop on the blue king, red fox and a cat or the thing"),
    "negative_chunks": ("(cat:1.2)", "the fox and the cat and the shop, [on the blue] king and red and (the fox and a cat:2.5), a thing", "the"),
    "escaped": (r"a \(fox\) (cat:0.5)", "", r"a (fox) (cat:0.5)"),
}


def text_encoder(model):
    encoder = CLIPTextModel(CLIPTextConfig(**MODELS[model]["text"])).eval()
    encoder.load_state_dict({k: tensor(f"{model}/text_encoder/" + (k if k.startswith("text_model.") else "text_model." + k), list(v.shape)) if v.dtype.is_floating_point else v
                             for k, v in encoder.state_dict().items()})
    return encoder


class Pipe:
    """What the functions of the lpw pipeline use of a pipeline."""
    device = "cpu"

    def __init__(self, dtype):
        self.text_encoder = text_encoder("a").to(dtype)
        with tempfile.TemporaryDirectory() as d:
            write_tokenizer(pathlib.Path(d), MODELS["a"]["text"])
            self.tokenizer = CLIPTokenizer.from_pretrained(d)
            self.files = {f.name: f.read_text() for f in pathlib.Path(d).iterdir()}


def stored(name, want, half, other):
    return dict(values=numbers(want), **measured(name, want, half, other))


def lpw(file):
    spec = importlib.util.spec_from_file_location("lpw", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    fixture = dict(parsed=[dict(text=t, parts=module.parse_prompt_attention(t)) for t in TEXTS], weighted={})
    pipes = {t: Pipe(t) for t in (torch.float32, torch.float16)}

    def states(dtype, prompt, negative):
        positive, uncond = module.get_weighted_text_embeddings(pipes[dtype], prompt, negative, max_embeddings_multiples=8)
        return torch.cat([uncond, positive])
    for name, (prompt, negative, other) in WEIGHTED.items():
        want = states(torch.float32, prompt, negative)
        changed = states(torch.float32, other, negative.replace(":2.5", ":1.5"))
        fixture["weighted"][name] = dict(prompt=prompt, negative=negative, **stored(name, want, states(torch.float16, prompt, negative), changed))
    return fixture


def plain():
    """diffusers' own pipeline: clip_skip, and textual inversions of one and of three vectors."""
    from diffusers import StableDiffusionPipeline
    vectors = {name: 0.5 * torch.from_numpy(uniform(f"inversion/{name}", n * 48)).float().reshape(n, 48) for name, n in (("sks", 1), ("oldfox", 3))}

    def states(dtype, prompt, negative, clip_skip=None, inversions=()):
        p = Pipe(dtype)
        pipe = StableDiffusionPipeline(vae=None, text_encoder=p.text_encoder, tokenizer=p.tokenizer, unet=None, scheduler=None, safety_checker=None, feature_extractor=None,
                                       requires_safety_checker=False)
        for name in inversions:
            pipe.load_textual_inversion(vectors[name.strip("-")] * (-1 if name.endswith("-") else 1), token=name.strip("-"))
        positive, uncond = pipe.encode_prompt(prompt, "cpu", 1, True, negative, clip_skip=clip_skip)
        return torch.cat([uncond, positive])
    fixture = dict(plain={})
    both = ("sks", "oldfox")
    for name, case, change in [
        ("clip_skip", dict(prompt="the fox", negative="blue", clip_skip=1), dict(clip_skip=None)),
        ("inversion", dict(prompt="the sks cat", negative="", inversions=both), dict(inversions=("sks-", "oldfox"))),
        ("vectors", dict(prompt="a oldfox, sks", negative="oldfox", inversions=both, clip_skip=1), dict(inversions=("sks", "oldfox-"))),
    ]:
        want, half, other = states(torch.float32, **case), states(torch.float16, **case), states(torch.float32, **(case | change))
        fixture["plain"][name] = case | stored(name, want, half, other)
    fixture["vectors"] = {k: v.tolist() for k, v in vectors.items()}
    return fixture


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    fixture = lpw(sys.argv[1]) | plain() | dict(tokenizer=Pipe(torch.float32).files)
    (OUT / "words.json").write_text(json.dumps(fixture, separators=(",", ":")))
    print((OUT / "words.json").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
