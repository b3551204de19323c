"""The pictures that the model is trained on, and how they would be asked for.

render.mjs draws each emoji once in each style, transparent, into px.bin; here each is put on a plain background and
moved a little, on the GPU where there is one. captions.py says how it would be asked for.
"""
import functools
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from training import DEVICE, on_device

SIZE = 128
BACKGROUNDS = dict(
    white=(255, 255, 255), black=(20, 20, 20), grey=(128, 128, 128), red=(214, 48, 49),
    orange=(240, 140, 40), yellow=(250, 214, 70), green=(60, 170, 90), teal=(40, 160, 160),
    blue=(50, 110, 220), purple=(130, 80, 190), pink=(245, 150, 190), brown=(130, 85, 55))
COLOURS = list(BACKGROUNDS)

# The styles that differ most, and have nearly all of the names of names.txt. The drawings of the other sets, and of other
# names, are there for what an image prompt may show.
MAIN_STYLES = ("3d", "flat", "noto")
NAMES = frozenset(Path(__file__).with_name("names.txt").read_text().strip().split("\n"))

# What people ask for first. Training draws these more often than the rest of names.txt.
EVERYDAY = (
    "fox, cat, cat face, dog, dog face, lion, tiger face, bear, panda, koala, rabbit face, mouse face, pig face, cow face, horse face, unicorn, "
    "monkey face, chicken, penguin, owl, frog, turtle, dragon face, whale, dolphin, fish, tropical fish, shark, octopus, crab, snail, butterfly, "
    "honeybee, lady beetle, cactus, sunflower, rose, tulip, four leaf clover, evergreen tree, palm tree, maple leaf, mushroom, red apple, banana, "
    "grapes, watermelon, strawberry, cherries, lemon, pineapple, tomato, carrot, hamburger, pizza, doughnut, birthday cake, soft ice cream, "
    "crescent moon, sun with face, star, cloud, rainbow, snowflake, snowman, fire, rocket, airplane, automobile, bicycle, sailboat, house, castle, "
    "guitar, balloon, gem stone, crown, key, bell, light bulb, soccer ball, trophy, red heart, ghost, robot, alien, skull, jack o lantern, "
    "christmas tree, wrapped gift, umbrella, top hat, smiling face with sunglasses, grinning face, smiling face with heart eyes, thinking face, "
    "clown face, hatching chick, parrot, elephant, potted plant, teapot, volcano, ringed planet, teddy bear").split(", ")


def is_held_out(name):
    """Two names in a hundred are never trained on, in any style: evaluation uses them."""
    return sum(ord(c) * 31 ** (i % 7) for i, c in enumerate(name)) % 50 == 0


def on_background(colour):
    return f"on a {COLOURS[colour]} background"


class Emoji:
    """The drawings of a work folder, with their styles and names. What is drawn at random is drawn by torch's own generator of DEVICE."""

    def __init__(self, work):
        work = Path(work)
        self.meta = json.loads((work / "meta.json").read_text())
        self.work = work
        main = [m["name"] in NAMES and m["style"] in MAIN_STYLES for m in self.meta]
        held = [is_held_out(m["name"]) for m in self.meta]
        # Held-out pictures are those of the main styles and names: what the model is asked for.
        self.held = np.array([i for i, h in enumerate(held) if h and main[i]])
        self.train = np.array([i for i, h in enumerate(held) if not h])
        self.main = np.array([i for i in self.train if main[i]])
        self.pools = {}

    def __len__(self):
        return len(self.meta)

    @functools.cached_property
    def drawings(self):
        kept = np.memmap(self.work / "px.bin", np.uint8, "c", shape=(len(self.meta), SIZE, SIZE, 4))
        return torch.from_numpy(kept).to(DEVICE)  # on a CPU they are left on disk

    def pool(self, styles=None):
        """On DEVICE: EVERYDAY's drawings, names.txt's and all, held-out names left out; of some styles alone, or of the main ones, and all's of all."""
        if styles not in self.pools:
            among = [i for i in self.main if not styles or self.meta[i]["style"] in styles]
            everyday = [i for i in among if self.meta[i]["name"] in EVERYDAY]
            self.pools[styles] = [torch.as_tensor(np.asarray(p), device=DEVICE) for p in (everyday or among, among, among if styles else self.train)]
        return self.pools[styles]

    def draw(self, n, everyday=0., others=0., styles=None):
        """n drawings to train on [n]: a share of them of EVERYDAY's names, a share of all drawings, the rest of names.txt in the main styles."""
        common, main, every = (p[torch.randint(len(p), (n,), device=DEVICE)] for p in self.pool(styles))
        chance = torch.rand(n, device=DEVICE)
        return torch.where(chance < everyday, common, torch.where(chance < everyday + others, every, main))

    def pictures(self, indices, augment=True, colour=None):
        """[B, 3, 128, 128] in -1..1, where the model trains, and the index of each background's colour [B]."""
        indices = torch.as_tensor(indices, device=DEVICE)
        n, uniform = len(indices), lambda low, high, *shape: torch.empty(len(indices), *shape, device=DEVICE).uniform_(low, high)
        drawn = self.drawings[indices].permute(0, 3, 1, 2).float()
        alpha = drawn[:, 3:] / 255
        layers = torch.cat([drawn[:, :3] * alpha, alpha], 1)  # premultiplied, so that resampling keeps edges clean
        if augment:
            scale, mirror = uniform(.8, 1.02), torch.where(uniform(0, 1) < .25, -1., 1.)
            zero = torch.zeros_like(scale)
            affine = torch.stack([torch.stack([mirror / scale, zero, uniform(-.06, .06)], 1), torch.stack([zero, 1 / scale, uniform(-.06, .06)], 1)], 1)
            layers = F.grid_sample(layers, F.affine_grid(affine, layers.shape, align_corners=False), mode="bilinear", align_corners=False)
        if colour is None:
            colours = torch.where(uniform(0, 1) < .3, 0, torch.randint(len(COLOURS), (n,), device=DEVICE))
        else:
            colours = torch.full((n,), COLOURS.index(colour), device=DEVICE)
        background = on_device(tuple(BACKGROUNDS.values()))[colours].float()
        if augment:
            background = (background + 6 * torch.randn(n, 3, device=DEVICE)).clamp(0, 255)
        return (layers[:, :3] + background[:, :, None, None] * (1 - layers[:, 3:])) / 127.5 - 1, colours

    def full_caption(self, index, colour):
        m = self.meta[index]
        return f"{m['style']} emoji of {m['name']} {on_background(colour)}"
