"""A CLIP of our own, and its vocabulary in CLIP's two files: its text encoder conditions the UNet, its image encoder the adapters."""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from open_clip.tokenizer import bytes_to_unicode
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from emoji import COLOURS, Emoji
from features import pixel_values
from training import DEVICE, Run, autocast, token_ids

LENGTH = 32  # tokens of a prompt
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"  # OpenAI CLIP's


def make_vocabulary(emoji, folder):
    """vocab.json and merges.txt, laid out as OpenAI's: bytes, bytes that end a word, merges, start, end."""
    rng, alphabet = np.random.default_rng(0), list(bytes_to_unicode().values())
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    bpe.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    bpe.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(WORDS), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    captions = [emoji.caption(i, int(rng.integers(len(COLOURS))), rng) for i in range(len(emoji)) for _ in range(3)]
    bpe.train_from_iterator(captions, trainers.BpeTrainer(vocab_size=3072, end_of_word_suffix="</w>", initial_alphabet=alphabet, show_progress=False))
    merges = [m if isinstance(m, str) else " ".join(m) for m in json.loads(bpe.to_str())["model"]["merges"]]
    words = dict.fromkeys(alphabet + [a + "</w>" for a in alphabet] + [m.replace(" ", "") for m in merges] + ["<|startoftext|>", "<|endoftext|>"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=LENGTH, pad_token="<|endoftext|>")
    tokenizer.save_pretrained(folder)
    return tokenizer, len(words)


def new_clip(words):
    end = words - 1
    return CLIPModel(CLIPConfig(
        text_config=dict(vocab_size=words, hidden_size=160, intermediate_size=640, num_hidden_layers=4, num_attention_heads=4, max_position_embeddings=LENGTH,
                         projection_dim=128, bos_token_id=end - 1, eos_token_id=end, pad_token_id=end, hidden_act="quick_gelu"),
        vision_config=dict(hidden_size=192, intermediate_size=768, num_hidden_layers=5, num_attention_heads=4, image_size=64, patch_size=8, projection_dim=128, hidden_act="gelu"),
        projection_dim=128))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=13)
    parser.add_argument("--batch", type=int, default=192)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads), torch.manual_seed(0)
    emoji, bank, base = Emoji(args.work), np.load(args.work / "bank.npz"), args.work / "base"
    views, colours = bank["V"], bank["C"]
    tokenizer, words = make_vocabulary(emoji, base / "tokenizer")
    clip, each = new_clip(words).to(DEVICE), min(args.batch, len(emoji.train))  # a trial has fewer drawings than a batch

    def batch(indices, passes, rng):
        captions = [emoji.caption(i, colours[r, i], rng) for r, i in zip(passes, indices)]
        return {"pixel_values": pixel_values(views[passes, indices]).to(DEVICE), "input_ids": token_ids(tokenizer, captions).to(DEVICE)}

    run = Run(clip, args.work / "clip.state.pt", args.minutes, rate=6e-4, weight_decay=.05, warm_up=100, flat=.3, betas=(.9, .98))
    for step in run:
        rng = np.random.default_rng((2, step))
        chosen = rng.choice(emoji.train, each, replace=False)
        with autocast():
            out = clip(**batch(chosen, rng.integers(0, len(views), each), rng), return_loss=True)
        run.learn(out.loss)
        clip.logit_scale.data.clamp_(0, math.log(100))

    clip.eval()
    held = emoji.held[:192]
    with torch.no_grad():
        logits = clip(**batch(held, np.zeros(len(held), int), np.random.default_rng(3))).logits_per_image
    right = logits.topk(min(5, len(held)), 1).indices.cpu() == torch.arange(len(held))[:, None]
    print(f"held-out picture to caption among {len(held)}: first {right[:, 0].float().mean():.3f}, first five {right.any(1).float().mean():.3f}")
    clip.save_pretrained(args.work / "clip")
    CLIPTextModel.from_pretrained(args.work / "clip").save_pretrained(base / "text_encoder")
    CLIPVisionModelWithProjection.from_pretrained(args.work / "clip").save_pretrained(base / "image_encoder")
    CLIPImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}).save_pretrained(base / "feature_extractor")


if __name__ == "__main__":
    main()
