"""A CLIP of our own, and its vocabulary in CLIP's two files: its text encoder conditions the UNet, its image encoder the adapters."""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from captions import Captions
from emoji import COLOURS, Emoji
from features import pixel_values
from training import DEVICE, GPU, Run

LENGTH = 32  # tokens of a prompt
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"  # OpenAI CLIP's


def make_vocabulary(emoji, folder):
    """vocab.json and merges.txt, laid out as OpenAI's: bytes, bytes that end a word, merges, start, end."""
    from open_clip.tokenizer import bytes_to_unicode  # only a new vocabulary needs open_clip
    rng, alphabet = np.random.default_rng(0), list(bytes_to_unicode().values())
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    bpe.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    bpe.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(WORDS), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    captions = [emoji.full_caption(i, int(rng.integers(len(COLOURS)))) for i in range(len(emoji)) for _ in range(1 + 3 * (i in emoji.main))]
    bpe.train_from_iterator(captions, trainers.BpeTrainer(vocab_size=3072, end_of_word_suffix="</w>", initial_alphabet=alphabet, show_progress=False))
    merges = [m if isinstance(m, str) else " ".join(m) for m in json.loads(bpe.to_str())["model"]["merges"]]
    words = dict.fromkeys(alphabet + [a + "</w>" for a in alphabet] + [m.replace(" ", "") for m in merges] + ["<|startoftext|>", "<|endoftext|>"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=LENGTH, pad_token="<|endoftext|>")
    tokenizer.save_pretrained(folder)
    return tokenizer


def new_clip(words):
    end = words - 1
    return CLIPModel(CLIPConfig(
        text_config=dict(vocab_size=words, hidden_size=160, intermediate_size=640, num_hidden_layers=4, num_attention_heads=4, max_position_embeddings=LENGTH,
                         projection_dim=128, bos_token_id=end - 1, eos_token_id=end, pad_token_id=end, hidden_act="quick_gelu"),
        vision_config=dict(hidden_size=192, intermediate_size=768, num_hidden_layers=5, num_attention_heads=4, image_size=64, patch_size=8, projection_dim=128, hidden_act="gelu"),
        projection_dim=128))


class SeesPatches(torch.nn.Module):
    """CLIP, and a matrix by which the penultimate hidden state of each patch is to tell how the patch looks, 4 x 4 of its colours.

    CLIP's own loss asks nothing of the patches but the picture's caption, and an adapter with fine features has to find there where things are.
    """

    def __init__(self, clip):
        super().__init__()
        self.clip, self.looks = clip, torch.nn.Linear(clip.config.vision_config.hidden_size, 48)

    def of_patches(self, hidden, pixels):
        told = self.looks(F.layer_norm(hidden[:, 1:], hidden.shape[-1:]))
        small = F.avg_pool2d(pixels, 2)  # a patch of 8 is 4 x 4
        looks = F.unfold(small, 4, stride=4).transpose(1, 2)
        return (told.float() - looks).square().mean()


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=13)
    parser.add_argument("--batch", type=int, default=1536 if GPU else 192)
    parser.add_argument("--learning-rate", type=float, default=1e-3 if GPU else 6e-4)
    parser.add_argument("--others", type=float, default=.6, help="share of the draws that come from all drawings")
    parser.add_argument("--patches", type=float, default=.5, help="weight of what the patches are to tell")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads), torch.manual_seed(0)
    emoji, base = Emoji(args.work), args.work / "base"
    tokenizer = CLIPTokenizer.from_pretrained(base / "tokenizer") if (base / "tokenizer").exists() else make_vocabulary(emoji, base / "tokenizer")
    captions, model = Captions(emoji, tokenizer), SeesPatches(new_clip(len(tokenizer))).to(DEVICE)
    clip = model.clip
    run = Run(model, args.work / "clip.state.pt", args.minutes, args.learning_rate, weight_decay=.1, warm_up=200, flat=.3, betas=(.9, .98), ema=.998)
    working = run.working

    def loss_of():
        i = emoji.draw(args.batch, .15, args.others)
        x, colours = emoji.pictures(i)
        said, pixels = captions.draw(i, colours), pixel_values(x)
        seen = working.clip.vision_model(pixels.to(working.looks.weight.dtype), output_hidden_states=True)
        image = F.normalize(working.clip.visual_projection(seen.pooler_output).float(), dim=-1)
        text = F.normalize(working.clip.text_projection(working.clip.text_model(captions.ids[said].long()).pooler_output).float(), dim=-1)
        logits = working.clip.logit_scale.float().clamp(0, math.log(100)).exp() * image @ text.T
        own = torch.arange(len(i), device=DEVICE)
        alike = (said[:, None] == said[None]) & (own[:, None] != own[None])  # another picture with the very same caption is no wrong one
        logits = logits.masked_fill(alike, -1e4)
        contrast = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
        return contrast + args.patches * working.of_patches(seen.hidden_states[-2], pixels)

    run.train(loss_of)
    run.take_average()
    model.eval()
    for name, held in (("held-out", emoji.held[:192]), ("trained", np.random.default_rng(0).choice(emoji.main, min(192, len(emoji.main)), replace=False))):
        with torch.no_grad():
            x, colours = emoji.pictures(held, augment=False)
            logits = clip(pixel_values=pixel_values(x), input_ids=captions.ids[captions.full(torch.as_tensor(held, device=DEVICE), colours)].long()).logits_per_image
            far = model.of_patches(clip.vision_model(pixel_values(x), output_hidden_states=True).hidden_states[-2], pixel_values(x)).item()
        right = logits.topk(min(5, len(held)), 1).indices.cpu() == torch.arange(len(held))[:, None]
        print(f"{name} picture to caption among {len(held)}: first {right[:, 0].float().mean():.3f}, first five {right.any(1).float().mean():.3f}; looks of patches unexplained {far:.4f}", flush=True)
    clip.save_pretrained(args.work / "clip")
    CLIPTextModel.from_pretrained(args.work / "clip").save_pretrained(base / "text_encoder")
    CLIPVisionModelWithProjection.from_pretrained(args.work / "clip").save_pretrained(base / "image_encoder")
    CLIPImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}).save_pretrained(base / "feature_extractor")


if __name__ == "__main__":
    main()
