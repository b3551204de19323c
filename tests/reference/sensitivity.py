"""How far a case's result moves when what the case tests is changed. A case that moves by less than
20 times its tolerance would not show an error, so the scripts refuse it."""
import argparse
import json

import torch

import pipelines  # which turns gradients off
from networks import compare

TOLERANCE = 1e-3  # the Go tests' without shader-f16; with it, they allow twice diffusers' own float16 error


def number(v):
    return float(f"{v:.6g}")


def numbers(x):
    return [number(v) for v in x.flatten().tolist()]


def distance(x, want):
    """Relative L2."""
    return float((x.float() - want).norm() / want.norm())


def least(error):
    """The least that a case moves, whose float16 error that is."""
    return 20 * max(TOLERANCE, 2 * error)


def measured(name, want, half, changed):
    """What a case with one change stores: diffusers' own float16 error, and how far the changed result is from what is wanted."""
    error, moves = distance(half, want), distance(changed, want)
    print(name, "float16 error %.2g, moves %.2g" % (error, moves), flush=True)
    if moves < least(error):
        raise SystemExit(f"{name} tests nothing: its result moves by {moves:.2g}")
    return dict(f16_error=error, moves=moves)


def nets(names, network, output, every, alone=None):
    """The configurations and keys of networks, and of those of alone (by default, of all) every so many-th number of the output."""
    configured, outputs = {}, {}
    for name in names:
        net, keys = network(name)
        configured[name] = dict(config={k: v for k, v in net.config.items() if not k.startswith("_")}, keys=keys)
        if alone is None or name in alone:
            want, half = output(name, torch.float32), output(name, torch.float16)
            outputs[name] = compare(want, half) | dict(values=numbers(want[::every]))
    return dict(nets=configured, networks=outputs)


def main(file, cases, changes, run, others=dict, float32_only=()):
    """Writes a fixture with cases whose changes have names, and with what others returns; with --case, it prints
    one case and writes nothing. What float32_only names is the same on both numeric paths: it needs to show in float32 only."""
    a = argparse.ArgumentParser()
    a.add_argument("--case", help="this case only, printed")
    a = a.parse_args()
    pipelines.float32_draws()
    weak, fixture = [], {} if a.case else others()
    fixture["cases"] = {}
    for name, case in cases:
        if a.case not in (None, name):
            continue
        want, half = run(case, torch.float32), run(case, torch.float16)
        error = distance(half, want)
        moves = {what: number(distance(run(c, torch.float32), want)) for what, c in changes(case)}
        print(name, list(want.shape), "float16 error %.2g" % error, "moves", {k: float("%.2g" % v) for k, v in moves.items()}, flush=True)
        weak += [f"{name}: {what} moves it by {v}, which is less than 20 times its tolerance" for what, v in moves.items()
                 if v < least(0 if what in float32_only else error)]
        fixture["cases"][name] = case | dict(f16_error=error, moves=moves, latents=numbers(want))
    if weak:
        raise SystemExit("\n".join(weak))
    if not a.case:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(fixture, separators=(",", ":")))
        print(file.stat().st_size, "bytes")
