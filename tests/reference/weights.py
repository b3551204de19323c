"""Weights without files. Every number is a hash of a tensor's name and its position, so that
the Go tests can make the same numbers (model/modeltest/checkpoint.go)."""
import numpy as np
import torch

M = (1 << 64) - 1


def fnv1a(name):
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = (h ^ b) * 0x100000001B3 & M
    return h


def uniform(name, count):
    """count numbers in [-1, 1), multiples of 2^-23: splitmix64 of the hash of the name."""
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(name)) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / (1 << 23) - 1


def tensor(name, shape):
    """The numbers of a tensor with that name and shape: float16 numbers, as float32."""
    u = uniform(name, int(np.prod(shape)))
    if len(shape) == 1 and name.endswith((".weight", ".lambda1")):
        v = 1 + 0.25 * u  # a scale
    elif len(shape) == 1:
        v = 0.1 * u
    elif "controlnet_cond_embedding" in name or "feature_extractor" in name:
        v = u * np.sqrt(3 / np.prod(shape[1:])) * 1.7  # convolutions with SiLU, not a table
    elif "embedding" in name and "patch_embeddings" not in name or name.endswith("latents"):
        v = 0.5 * u
    else:
        v = u * np.sqrt(3 / np.prod(shape[1:]))
    return torch.from_numpy(v.astype(np.float16).astype(np.float32).reshape(shape))


def fill(module, prefix):
    """Sets a module's parameters and returns their shapes by key."""
    state = module.state_dict()
    shapes = {}
    for key, old in state.items():
        if not old.dtype.is_floating_point:
            continue
        state[key] = tensor(prefix + key, list(old.shape))
        shapes[key] = list(old.shape)
    module.load_state_dict(state)
    return shapes
