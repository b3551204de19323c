"""The CLIP that judges: the model's own encoders, with a text projection.

A Stable Diffusion folder has CLIP's text encoder without its last matrix, so CLIP-T cannot be computed from it.
Where clip.py's whole CLIP is at hand it is taken from there; else the matrix is fitted again, with CLIP's own
contrastive loss and both encoders frozen. Writes judge.safetensors: text_projection.weight [P, C].
"""
import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTokenizer

from captions import Captions
from emoji import Emoji
from training import DEVICE, token_ids


@torch.no_grad()
def pooled_text(base, captions):
    """[N, C]: the hidden state at the end of each caption."""
    tokenizer = CLIPTokenizer.from_pretrained(base / "tokenizer")
    text = CLIPTextModel.from_pretrained(base / "text_encoder", dtype=torch.float32).eval()
    out = []
    for b in range(0, len(captions), 256):
        ids = token_ids(tokenizer, captions[b:b + 256])
        out.append(text(ids).pooler_output)
    return torch.cat(out)


def fit(pooled, embeds, seed=0, steps=400, batch=512):
    torch.manual_seed(seed)
    projection, scale = torch.nn.Linear(pooled.shape[1], embeds.shape[1], bias=False), torch.nn.Parameter(torch.tensor(np.log(1 / .07)))
    optimizer = torch.optim.AdamW([*projection.parameters(), scale], 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        i = torch.randperm(len(pooled))[:batch]
        logits = scale.exp() * F.normalize(projection(pooled[i]), dim=-1) @ F.normalize(embeds[i], dim=-1).T
        loss = (F.cross_entropy(logits, torch.arange(len(i))) + F.cross_entropy(logits.T, torch.arange(len(i)))) / 2
        optimizer.zero_grad(), loss.backward(), optimizer.step(), schedule.step()
        scale.data.clamp_(0, np.log(100))
    return projection.weight.detach()


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--base", type=Path, required=True)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    whole = args.work / "clip" / "model.safetensors"
    if whole.exists():
        weight = load_file(whole)["text_projection.weight"].float()
    else:
        emoji, colours = Emoji(args.work), torch.from_numpy(np.load(args.work / "bank.npz")["C"])
        captions, embeds = Captions(emoji, CLIPTokenizer.from_pretrained(args.base / "tokenizer")), torch.from_numpy(np.load(args.work / "embeds.npy"))
        torch.manual_seed(0)
        drawings, shown = torch.arange(len(emoji)), torch.randint(len(embeds), (len(emoji),))
        said = captions.draw(drawings.to(DEVICE), colours[shown, drawings].long().to(DEVICE))
        pooled, seen = pooled_text(args.base, [captions.text(k) for k in said.tolist()]), embeds[shown, drawings]
        weight = fit(pooled[emoji.train], seen[emoji.train])
        held = torch.from_numpy(emoji.held[:192])
        order = (F.normalize(seen[held], dim=-1) @ F.normalize(pooled[held] @ weight.T, dim=-1).T).topk(min(5, len(held)), 1).indices
        right = order == torch.arange(len(held))[:, None]
        print(f"held-out picture to caption among {len(held)}: first {right[:, 0].float().mean():.3f}, first five {right.any(1).float().mean():.3f}")
    save_file({"text_projection.weight": weight.contiguous()}, args.work / "judge.safetensors")


if __name__ == "__main__":
    main()
