"""Networks that make maps, for the packages below model/preprocessors.

    python tests/reference/preprocessors.py [NAME...]     writes tests/fixtures/preprocessors/NAME.json: hed, depth, lineart

The networks are small ones of controlnet_aux 0.0.10 and transformers. Each fixture has the names and shapes of the published weights, and stores
how far a result moves when what it tests is changed. Needs controlnet_aux, einops, and opencv-python-headless 5.0.0.93.
"""
import importlib.util
import json
import pathlib
import sys
import types

import cv2
import numpy as np
import PIL.Image
import torch
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config
from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

import pipelines
from networks import stored
from patterns import crc, pattern
from sensitivity import measured
from weights import fill, tensor

OUT = pathlib.Path(__file__).parent.parent / "fixtures/preprocessors"
# The package's own __init__ imports all detectors, with all that they need.
package = types.ModuleType("controlnet_aux")
package.__path__ = importlib.util.find_spec("controlnet_aux").submodule_search_locations
sys.modules["controlnet_aux"] = package
from controlnet_aux import hed as aux_hed, lineart as aux_lineart, util as aux_util


def picture(name, height, width, levels):
    """[1, 3, height, width] in float32: whole numbers from 0 to levels - 1, the same for squares of 4 × 4 pixels."""
    return ((pipelines.picture(name, height, width).double() + 1) * levels / 2).floor().float()


def shapes(module):
    return {k: list(v.shape) for k, v in module.state_dict().items()}


def compared(name, run, changes):
    """What a fixture stores of a result: run(dtype) gives it, and each of changes gives another one, in float32."""
    want, half = run(torch.float32), run(torch.float16)
    moved = {what: measured(f"{name}, {what}", want, half, change()) for what, change in changes.items()}
    return stored(want) | dict(f16_error=max(m["f16_error"] for m in moved.values()), moves={what: m["moves"] for what, m in moved.items()})


def hed():
    """A dark picture, so that the logits stay in the range where the edges change. Its halves have odd sides. The network is also
    written as a file, hed.pth, for tests of the command line and of the page."""
    channels, height, width = (4, 8, 8, 12, 12), 40, 56

    def build():
        net, before = aux_hed.ControlNetHED_Apache2(), 3
        for i, out in enumerate(channels):
            setattr(net, f"block{i + 1}", aux_hed.DoubleConvBlock(before, out, (2, 2, 3, 3, 3)[i]))
            before = out
        return net, fill(net, "hed/hed/")

    def edges(dtype, pool=torch.nn.functional.max_pool2d, norm=1):
        """What HEDdetector computes before its edges become a picture."""
        net, _ = build()
        net.norm.data *= norm
        before, torch.nn.functional.max_pool2d = torch.nn.functional.max_pool2d, pool
        logits = net.to(dtype)(picture("hed", height, width, 10).to(dtype))
        torch.nn.functional.max_pool2d = before
        logits = [cv2.resize(e.float().numpy()[0, 0], (width, height), interpolation=cv2.INTER_LINEAR) for e in logits]
        return torch.from_numpy(1 / (1 + np.exp(-np.mean(np.stack(logits, axis=2), axis=2).astype(np.float64))))

    # Strokes of a pen along the edges of pictures that look like noise.
    strokes = []
    for width_, height_ in (64, 48), (31, 22), (97, 131):
        edges_ = cv2.GaussianBlur(np.array(pattern(width_, height_, 1, True)).reshape(height_, width_), (0, 0), 2.0)
        thin = aux_util.nms(edges_, 127, 3.0)
        if not 20 < (thin > 0).sum() < thin.size / 2:
            raise SystemExit("the strokes test nothing")
        strokes.append(dict(size=[width_, height_], edges=crc(edges_), thin=crc(thin)))
    torch.save({k: v.half() for k, v in build()[0].state_dict().items()}, OUT / "hed.pth")
    changes = {"averages": lambda: edges(torch.float32, pool=torch.nn.functional.avg_pool2d), "no norm": lambda: edges(torch.float32, norm=0)}
    return dict(channels=channels, strokes=strokes, keys=build()[1], published=shapes(aux_hed.ControlNetHED_Apache2()), **compared("hed", edges, changes))


# Where the published files and transformers 5 have other names (transformers' conversion_mapping.py).
PUBLISHED_NAMES = [("attention.q_proj", "attention.attention.query"), ("attention.k_proj", "attention.attention.key"), ("attention.v_proj", "attention.attention.value"),
                   ("attention.o_proj", "attention.output.dense")]


def published_name(key):
    for ours, theirs in PUBLISHED_NAMES:
        key = key.replace(ours, theirs)
    return key


def depth():
    """A picture that is not square, so that the positions are interpolated. The changed results have other positions, no layer
    scales, and corners that are not aligned."""
    height, width = 40, 56
    backbone = dict(image_size=42, hidden_size=128, num_attention_heads=2, num_hidden_layers=4, mlp_ratio=2, out_indices=[1, 2, 3, 4], reshape_hidden_states=False)
    config = dict(patch_size=14, reassemble_hidden_size=128, neck_hidden_sizes=[8, 12, 16, 20], fusion_hidden_size=16, head_hidden_size=8)
    # What Depth-Anything-V2-Small-hf has in its config.json.
    full = DepthAnythingConfig(backbone_config=Dinov2Config(image_size=518, hidden_size=384, num_attention_heads=6, num_hidden_layers=12, out_indices=[3, 6, 9, 12],
                                                            reshape_hidden_states=False))

    def build():
        net = DepthAnythingForDepthEstimation(DepthAnythingConfig(backbone_config=Dinov2Config(**backbone), **config)).eval()
        keys = {published_name(k): list(v.shape) for k, v in net.state_dict().items()}
        net.load_state_dict({k: tensor("depth/depth/" + published_name(k), list(v.shape)) for k, v in net.state_dict().items()})
        return net, keys

    def run(dtype, change=lambda net: None, aligned=True):
        net, _ = build()
        change(net)
        net = net.to(dtype)
        image = PIL.Image.fromarray(picture("depth", height, width, 256)[0].permute(1, 2, 0).byte().numpy())
        processor = DPTImageProcessorPil(size={"height": 42, "width": 42}, ensure_multiple_of=14, keep_aspect_ratio=True, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
        interpolate = torch.nn.functional.interpolate
        if not aligned:
            torch.nn.functional.interpolate = lambda *a, **k: interpolate(*a, **k | dict(align_corners=False))
        out = net(**processor(image, return_tensors="pt").to(dtype))
        torch.nn.functional.interpolate = interpolate
        depth = processor.post_process_depth_estimation(out, [(height, width)])[0]["predicted_depth"].float()
        return (depth - depth.min()) / (depth.max() - depth.min())  # as transformers' pipeline does

    def shifted(net):
        net.backbone.embeddings.position_embeddings.data = net.backbone.embeddings.position_embeddings.data.roll(1, 1)

    def unscaled(net):
        for layer in net.backbone.encoder.layer:
            layer.layer_scale1.lambda1.data.fill_(1)

    changes = {"other positions": lambda: run(torch.float32, shifted), "no scale": lambda: run(torch.float32, unscaled), "not aligned": lambda: run(torch.float32, aligned=False)}
    with torch.device("meta"):
        published = {published_name(k): list(v.shape) for k, v in DepthAnythingForDepthEstimation(full).state_dict().items()}
    return dict(keys=build()[1], published=published, **compared("depth", run, changes))


def lineart():
    """The changed results come of zeros in place of the mirrored borders, and of one instance norm for all channels."""
    height, width, channels = 36, 28, 8

    def build():
        net = aux_lineart.Generator(3, 1, 2)
        # The same layers with fewer channels.
        for sequence in net.modules():
            for i, layer in list(getattr(sequence, "_modules", {}).items()):
                if isinstance(layer, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
                    few = lambda n: max(1, n * channels // 64) if n > 3 else n
                    options = dict(stride=layer.stride, padding=layer.padding)
                    if isinstance(layer, torch.nn.ConvTranspose2d):
                        options |= dict(output_padding=layer.output_padding)
                    setattr(sequence, i, type(layer)(few(layer.in_channels), few(layer.out_channels), layer.kernel_size, **options))
        return net.eval(), fill(net, "lineart/lineart/")

    def run(dtype, change=lambda layer: layer):
        net, _ = build()
        for sequence in net.modules():
            for i, layer in list(getattr(sequence, "_modules", {}).items()):
                setattr(sequence, i, change(layer))
        x = picture("lineart", height, width, 256) / 255
        return net.to(dtype)(x.to(dtype))[0, 0].float()

    def zeros(layer):
        return torch.nn.ZeroPad2d(layer.padding) if isinstance(layer, torch.nn.ReflectionPad2d) else layer

    def together(layer):
        return torch.nn.GroupNorm(1, layer.num_features, affine=False) if isinstance(layer, torch.nn.InstanceNorm2d) else layer

    changes = {"zeros": lambda: run(torch.float32, zeros), "one norm": lambda: run(torch.float32, together)}
    return dict(keys=build()[1], published=shapes(aux_lineart.Generator(3, 1, 3)), **compared("lineart", run, changes))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or ["hed", "depth", "lineart"]:
        file = OUT / f"{name}.json"
        file.write_text(json.dumps(globals()[name](), separators=(",", ":")))
        print(file.name, file.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
