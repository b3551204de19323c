"""What an adapter is trained on: a stream of draws, the same for the same seed wherever it is taken up again.

A draw is a dict: text (the caption), chance (in 0..1; which prompts are dropped, words where it is low), and either
latents and image, both prepared beforehand (the emoji bank), or pixels and clip_pixels (a folder).
"""
import json
from pathlib import Path

import numpy as np
from PIL import Image
from torch.utils.data import Dataset

from emoji import COLOURS, Emoji
from features import kept

EVERYDAY_SHARE = .35  # of the bank's draws


class Draws(Dataset):
    """An endless stream that starts at draw `first`; draw k depends only on the seed and on k."""

    def __init__(self, seed, first, total):
        self.seed, self.first, self.total = seed, first, total

    def __len__(self):
        return self.total - self.first

    def __getitem__(self, k):
        rng = np.random.default_rng((self.seed, self.first + k))
        chance = rng.random()
        return self.draw(rng, chance) | {"chance": chance}


class EmojiBank(Draws):
    """The work folder of the model that ships: latents by bank.py, encoder outputs by features.py."""

    def __init__(self, work, kind, *stream):
        super().__init__(*stream)
        self.emoji, bank = Emoji(work), np.load(Path(work) / "bank.npz")
        self.latents, self.colours = bank["Z"], bank["C"]
        self.images = kept(work, kind)

    def draw(self, rng, chance):
        i, shown, prompted = self.emoji.draw(rng, 1, EVERYDAY_SHARE)[0], *rng.integers(0, len(self.images), 2)
        # Captions of the web's pictures, which the paper trains on, say a part of what is seen; ours could say all of it,
        # and would leave the image prompt nothing to add.
        text, colour = self.emoji.caption(i, self.colours[shown, i], rng, says=(.5, .5, .5)), COLOURS[self.colours[shown, i]]
        # As in the paper the image prompt is the target itself; but where the words are kept and name the background, it may
        # in a quarter of the draws be the other view of the same drawing, so that words keep their say about background and
        # place. (Words are dropped where chance is low.)
        if chance < .75 or colour not in text:
            prompted = shown
        return {"text": text, "latents": self.latents[shown, i].astype(np.float32), "image": self.images[prompted, i].astype(np.float32)}


class Folder(Draws):
    """A folder of pictures with metadata.jsonl, one {"file_name": …, "text": …} a line (Hugging Face's imagefolder)."""

    def __init__(self, folder, size, image_processor, *stream):
        super().__init__(*stream)
        self.folder, self.size, self.image_processor = Path(folder), size, image_processor
        index = self.folder / "metadata.jsonl"
        if not index.exists():
            raise FileNotFoundError(f'{folder} has no metadata.jsonl: write one line {{"file_name": "a.png", "text": "its caption"}} for each picture')
        self.rows = [json.loads(line) for line in index.read_text().splitlines() if line.strip()]

    def draw(self, rng, _):
        row = self.rows[rng.integers(len(self.rows))]
        picture = Image.open(self.folder / row["file_name"]).convert("RGB")
        scale = self.size / min(picture.size)  # the shorter side to size, then a centre crop (paper, 4.1.2)
        resized = picture.resize([max(self.size, round(s * scale)) for s in picture.size], Image.BICUBIC)
        x, y = ((s - self.size) // 2 for s in resized.size)
        pixels = np.asarray(resized.crop((x, y, x + self.size, y + self.size)), np.float32) / 127.5 - 1
        return {"text": row["text"], "pixels": pixels.transpose(2, 0, 1).copy(),
                "clip_pixels": self.image_processor(picture, return_tensors="np").pixel_values[0]}
