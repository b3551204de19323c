"""What an adapter is trained on: a stream of draws, the same for the same seed wherever it is taken up again.

A draw is a dict: text (the caption), chance (in 0..1; which prompts are dropped, words where it is low), pixels and clip_pixels.
"""
import json
from pathlib import Path

import numpy as np
from PIL import Image
from torch.utils.data import Dataset


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
