"""Embeddings and cosines of pictures and captions by transformers' CLIPModel, for app/evaluate's tests.

    python tests/reference/clip.py      writes tests/fixtures/clip/

It writes a complete small CLIPModel as transformers saves it (with weights from weights.py
and a vocabulary of bytes and a few merges), four pictures, and the results: embeddings,
CLIP-I of every pair of pictures and CLIP-T of every picture and caption, which are cosines,
and the largest error of transformers' own float16.
"""
import json
import pathlib

import numpy as np
import torch
from open_clip.tokenizer import bytes_to_unicode
from PIL import Image
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from weights import fill, uniform

OUT = pathlib.Path(__file__).parent.parent / "fixtures/clip"
LENGTH = 12
CAPTIONS = ["a red fox", "a boat on a blue lake, seen from above, at dusk", "", "FOX <|endoftext|> red", "日本"]
torch.set_grad_enabled(False)


def tokenizer():
    merges = ["f o", "fo x</w>", "r e", "re d</w>", "b l", "bl u", "blu e</w>", "o n</w>"]
    alphabet = list(bytes_to_unicode().values())
    words = alphabet + [a + "</w>" for a in alphabet] + [m.replace(" ", "") for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    (OUT / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}, ensure_ascii=False))
    (OUT / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    config = dict(model_max_length=LENGTH, tokenizer_class="CLIPTokenizer")
    (OUT / "tokenizer_config.json").write_text(json.dumps(config))
    return CLIPTokenizer(str(OUT / "vocab.json"), str(OUT / "merges.txt"), model_max_length=LENGTH), len(words)


def pictures():
    """Four pictures of different colours and shapes. One is taller, and one is greyscale."""
    y, x = np.mgrid[:40, :48]
    rng = uniform("clip/noise", 56 * 40 * 3).reshape(56, 40, 3)
    yield "stripes.png", Image.fromarray(np.stack([x * 5, 255 - y * 6, (x // 6 % 2) * 255], -1).clip(0, 255).astype(np.uint8))
    yield "disc.png", Image.fromarray(np.where(((x - 24) ** 2 + (y - 20) ** 2 < 200)[..., None], [230, 60, 20], [20, 60, 200]).astype(np.uint8))
    yield "noise.png", Image.fromarray(((rng + 1) * 40 + 80).astype(np.uint8))
    yield "ramp.png", Image.fromarray((x * 5).clip(0, 255).astype(np.uint8))


def cosines(a, b):
    n = lambda v: v.double() / v.double().norm(dim=-1, keepdim=True)
    return n(a) @ n(b).T


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    tok, words = tokenizer()
    end = words - 1
    config = CLIPConfig(
        text_config=dict(vocab_size=words, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=LENGTH,
                         projection_dim=99, bos_token_id=end - 1, eos_token_id=end, pad_token_id=end, hidden_act="quick_gelu"),
        vision_config=dict(hidden_size=40, intermediate_size=80, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8, projection_dim=99, hidden_act="gelu"),
        projection_dim=24)  # the towers' own projection_dim has no effect in a CLIPModel
    model = CLIPModel(config).eval()
    fill(model, "clip/")
    model.half().save_pretrained(OUT)
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    processor.save_pretrained(OUT)
    drawn = dict(pictures())
    for name, p in drawn.items():
        p.save(OUT / name, optimize=True)
    pixels = processor([p.convert("RGB") for p in drawn.values()], return_tensors="pt").pixel_values
    ids = tok(CAPTIONS, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt").input_ids

    def embeds(dtype):
        m = CLIPModel.from_pretrained(OUT, dtype=dtype).eval()
        out = m(input_ids=ids, pixel_values=pixels.to(dtype))
        text, image = m.text_projection(m.text_model(input_ids=ids).pooler_output), m.visual_projection(m.vision_model(pixel_values=pixels.to(dtype)).pooler_output)
        # The model's outputs are these embeddings, normalised.
        assert torch.allclose(cosines(text, text), cosines(out.text_embeds, out.text_embeds), atol=2e-3)
        return image, text
    image, text = embeds(torch.float32)
    half_image, half_text = embeds(torch.float16)
    clip_i, clip_t = cosines(image, image), cosines(image, text)
    error = max(float((cosines(half_image, half_image) - clip_i).abs().max()), float((cosines(half_image, half_text) - clip_t).abs().max()))
    number = lambda t: [[float(f"{v:.7g}") for v in row] for row in t.tolist()]
    (OUT / "reference.json").write_text(json.dumps(dict(
        pictures=list(drawn), captions=CAPTIONS, ids=ids.tolist(), image_embeds=number(image), text_embeds=number(text), clip_i=number(clip_i), clip_t=number(clip_t), f16_error=error)))
    print("CLIP-I", clip_i, "CLIP-T", clip_t, "float16 error", error)


if __name__ == "__main__":
    main()
