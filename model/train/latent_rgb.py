"""Fits the colours that the page shows between steps: vae/latent_rgb.json in the folder that ships, a matrix from a latent to the mean colour of its place (model/vae/latent_rgb.go)."""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image

SAMPLES = Path(__file__).parents[2] / "web" / "samples"


def fit(folder, pictures=SAMPLES):
    """Least squares over the latents of the sample pictures. Returns how much of the colours' variance is left over."""
    vae = AutoencoderKL.from_pretrained(folder, subfolder="vae", torch_dtype=torch.float32)
    latents, colours = [], []
    for file in sorted(pictures.glob("*.png")):
        pixels = torch.tensor(np.array(Image.open(file).convert("RGB"))).permute(2, 0, 1)[None] / 127.5 - 1
        with torch.no_grad():
            x = vae.encode(pixels).latent_dist.mean * vae.config.scaling_factor
        latents.append(x.flatten(2)[0].T)
        colours.append(torch.nn.functional.adaptive_avg_pool2d(pixels, x.shape[-2:]).flatten(2)[0].T)
    latents, colours = torch.cat(latents), torch.cat(colours)
    ones = torch.ones(len(latents), 1)
    solution = torch.linalg.lstsq(torch.cat([latents, ones], 1).double(), colours.double()).solution
    left = (torch.cat([latents, ones], 1) @ solution.float() - colours).var() / colours.var()
    rows = [[round(v, 4) for v in row] for row in solution.tolist()]
    (folder / "vae" / "latent_rgb.json").write_text(json.dumps({"latent_rgb_factors": rows[:4], "latent_rgb_factors_bias": rows[4]}, indent=1) + "\n")
    return left.item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a model in diffusers' layout")
    print(f"{fit(parser.parse_args().folder):.3f} of the variance is left over")
