"""The pictures that the model is trained on, and how they would be asked for.

render.mjs draws what names.txt lists once in each style, transparent, into px.bin; here each is put on a plain
background, moved a little, and given a caption.
"""
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from training import DEVICE

SIZE = 128
BACKGROUNDS = dict(
    white=(255, 255, 255), black=(20, 20, 20), grey=(128, 128, 128), red=(214, 48, 49),
    orange=(240, 140, 40), yellow=(250, 214, 70), green=(60, 170, 90), teal=(40, 160, 160),
    blue=(50, 110, 220), purple=(130, 80, 190), pink=(245, 150, 190), brown=(130, 85, 55))
COLOURS = list(BACKGROUNDS)
TABLE = torch.tensor([BACKGROUNDS[c] for c in COLOURS]).float()

# What people ask for first. unet.py draws these more often than the rest of names.txt.
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
    """The drawings of a work folder, with their styles and names."""

    def __init__(self, work):
        work = Path(work)
        self.meta = json.loads((work / "meta.json").read_text())
        self.drawings = np.memmap(work / "px.bin", np.uint8, "r", shape=(len(self.meta), SIZE, SIZE, 4))
        held = np.array([is_held_out(m["name"]) for m in self.meta])
        self.train, self.held = np.where(~held)[0], np.where(held)[0]
        self.pools = {}

    def __len__(self):
        return len(self.meta)

    def pool(self, styles=None):
        """Those to train on, and among them EVERYDAY's; of some styles alone, or of all."""
        if styles not in self.pools:
            among = [i for i in self.train if not styles or self.meta[i]["style"] in styles]
            self.pools[styles] = among, [i for i in among if self.meta[i]["name"] in EVERYDAY]
        return self.pools[styles]

    def draw(self, rng, n, everyday=0., styles=None):
        """n drawings to train on, a share of them from EVERYDAY's names alone."""
        among, common = self.pool(styles)
        return np.where(rng.random(n) < everyday, rng.choice(common, n), rng.choice(among, n))

    def pictures(self, indices, rng, augment=True, colour=None):
        """[B, 3, 128, 128] in -1..1, where the model trains, and the index of each background's colour [B]."""
        n = len(indices)
        drawn = torch.from_numpy(np.stack([self.drawings[i] for i in indices])).to(DEVICE).permute(0, 3, 1, 2).float()
        alpha = drawn[:, 3:] / 255
        layers = torch.cat([drawn[:, :3] * alpha, alpha], 1)  # premultiplied, so that resampling keeps edges clean
        if augment:
            scale = torch.from_numpy(rng.uniform(0.8, 1.02, n)).float()
            mirror = torch.from_numpy(rng.choice([-1.0, 1.0], n, p=[.25, .75])).float()
            affine = torch.zeros(n, 2, 3)
            affine[:, 0, 0], affine[:, 1, 1] = mirror / scale, 1 / scale
            affine[:, :, 2] = torch.from_numpy(rng.uniform(-.06, .06, (n, 2))).float()
            grid = F.affine_grid(affine.to(DEVICE), layers.shape, align_corners=False)
            layers = F.grid_sample(layers, grid, mode="bilinear", align_corners=False)
        if colour is None:
            drawn_colour = np.where(rng.random(n) < .3, 0, rng.integers(0, len(COLOURS), n))
            colours = torch.from_numpy(drawn_colour)
        else:
            colours = torch.full((n,), COLOURS.index(colour))
        jitter = torch.from_numpy(rng.normal(0, 6, (n, 3))).float() if augment else 0
        background = (TABLE[colours] + jitter).clamp(0, 255)[:, :, None, None].to(DEVICE)
        return (layers[:, :3] + background * (1 - layers[:, 3:])) / 127.5 - 1, colours

    def full_caption(self, index, colour):
        m = self.meta[index]
        return f"{m['style']} emoji of {m['name']} {on_background(colour)}"

    def caption(self, index, colour, rng, says=(.8, 1, .8)):
        """One of the ways to ask for a picture. It says style, name and background, each with the chance given."""
        m = self.meta[index]
        style, name, background = rng.random(3) < says
        text = f"{m['style']} emoji" if style else ""
        if name:
            text += f" of {m['name']}" if style else m["name"]
        if background:
            text += " " + on_background(colour) if rng.random() < .7 else f", {COLOURS[colour]}"
        return text.strip(" ,")
