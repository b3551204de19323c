"""Files as torch.save writes them, and what is in them, for package loader.

    python tests/reference/pickles.py       writes tests/fixtures/pickles/

pickles.json has, for each file, its tensors (type, shape and the bytes of their numbers as torch
reads them back, in order; F64 as F32), or a part of the error that the file is refused with. The
files that are refused are made by hand, and nothing here opens them. float8.json has the values
of all codes of the 8-bit floats.
"""
import collections
import io
import json
import pathlib
import pickle
import shutil
import struct
import sys
import types
import zipfile

import numpy as np
import torch

OUT = pathlib.Path(__file__).parent.parent / "fixtures/pickles"
NAMES = {torch.float32: "F32", torch.float64: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.int32: "I32",
         torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL", torch.uint16: "U16", torch.complex64: "C64",
         torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2"}
files = {}


def numbers(*shape, dtype=torch.float32):
    """Different numbers for each place, which every type holds."""
    n = int(np.prod(shape))
    return (torch.arange(n) % 8 - 3).reshape(shape).to(dtype)


def content(tensors):
    list_ = {}
    for name, t in tensors.items():
        t = t.detach()
        if t.dtype == torch.float64:
            t = t.float()
        raw = t.contiguous().view(torch.uint8).numpy().tobytes() if t.ndim else t.reshape(1).view(torch.uint8).numpy().tobytes()
        list_[name] = dict(dtype=NAMES[t.dtype], shape=list(t.shape), bytes=raw.hex())
    return list_


def save(name, value, tensors=None, **arguments):
    torch.save(value, OUT / name, **arguments)
    files[name] = dict(tensors=content(value if tensors is None else tensors))


def module(name, **classes):
    """A module of another program's, with classes of plain data, so that they can be pickled."""
    m = types.ModuleType(name)
    for key, base in classes.items():
        setattr(m, key, type(key, (base,), {"__module__": name}))
    sys.modules[name] = m
    return m


def every_type():
    base = numbers(4, 6)
    out = {f"type.{d}".replace("torch.", ""): numbers(2, 3, dtype=d) for d in NAMES if d is not torch.complex64}
    return out | {
        "parameter": torch.nn.Parameter(numbers(2, 2)), "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3), "double": torch.tensor([1 / 3, -1e300, 1e-300], dtype=torch.float64),
        "shared.whole": base, "shared.rows": base[1:3], "shared.columns": base[:, 2:4], "transposed": numbers(3, 5).t(), "double.transposed": numbers(2, 3, dtype=torch.float64).t(),
        "channels_last": numbers(2, 3, 2, 2, dtype=torch.float16).to(memory_format=torch.channels_last), "expanded": numbers(3, 1).expand(3, 4), "every second": numbers(8)[::2],
    }


def published():
    weights = {"conv_in.weight": numbers(2, 1, 1, 1), "conv_in.bias": numbers(2)}
    callbacks = module("pytorch_lightning.callbacks.model_checkpoint", ModelCheckpoint=object)
    parsing = module("pytorch_lightning.utilities.parsing", AttributeDict=dict)
    module("pytorch_lightning"), module("pytorch_lightning.callbacks"), module("pytorch_lightning.utilities")
    optimizer = torch.optim.AdamW([torch.nn.Parameter(numbers(3))])
    optimizer.param_groups[0]["params"][0].sum().backward()
    optimizer.step()
    model = {"model.diffusion_model." + k: v for k, v in weights.items()}
    lightning = {"epoch": 3, "num_updates": torch.tensor(7), "global_step": np.float64(12.5), "pytorch-lightning_version": "1.4.2", "state_dict": collections.OrderedDict(model),
                 "callbacks": {callbacks.ModelCheckpoint: {"monitor": "val/loss", "best_model_score": torch.tensor(0.5), "dirpath": pathlib.PurePosixPath("/tmp")}},
                 "optimizer_states": [optimizer.state_dict()], "lr_schedulers": [{"last": np.float32(1), "order": np.arange(3)}],
                 "hyper_parameters": parsing.AttributeDict(lr=1e-4)}
    save("lightning.ckpt", lightning, model)
    nested = {"image_proj": {"proj.weight": numbers(2, 3)}, "ip_adapter": {"1.to_k_ip.weight": numbers(2, 2, dtype=torch.float16)}}
    save("ip_adapter.bin", nested, {f"{a}.{b}": t for a, d in nested.items() for b, t in d.items()})
    vectors = numbers(2, 8)
    tokens = dict(string_to_token={"*": 265}, name="ink", step=100, sd_checkpoint=None, sd_checkpoint_name=None)
    save("web_ui.pt", dict(tokens, string_to_param={"*": vectors}), {"string_to_param.*": vectors})
    dictionary = torch.nn.ParameterDict({"*": torch.nn.Parameter(vectors)})
    old = {"string_to_token": {"*": torch.tensor(265)}, "string_to_param": dictionary}
    save("textual_inversion.pt", old, {"string_to_token.*": old["string_to_token"]["*"], "string_to_param.*": vectors})
    save("textual_inversion_old.pt", old, {"string_to_token.*": old["string_to_token"]["*"], "string_to_param.*": vectors}, _use_new_zipfile_serialization=False)
    save("learned_embeds.bin", {"<ink.2>": vectors})
    save("params.pth", {"params": weights, "params_ema": {k: v + 1 for k, v in weights.items()}}, {k: v + 1 for k, v in weights.items()})
    module_ = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    save("lora.pt", {module_ + ".lora_down.weight": numbers(2, 8), module_ + ".lora_up.weight": numbers(8, 2), module_ + ".alpha": torch.tensor(1.0)})
    one = numbers(1, 1, 1, 1)
    vae = {"encoder.conv_in.weight": one, "decoder.conv_in.weight": one + 1, "decoder.up.0.block.0.conv1.weight": one}
    save("vae.ckpt", {"state_dict": vae}, vae)
    save("controlnet.pth", {"control_model.input_hint_block.0.weight": one, "control_model.input_blocks.0.0.weight": one})
    save("t2i_adapter.pth", {"body.0.block1.weight": one, "conv_in.weight": one})
    save("parallel.pth", {"module." + k: v for k, v in weights.items()}, weights)
    save("many.pth", {f"body.{i}.weight": numbers(1 + i) for i in range(12)})


class Call:
    """A pickle of this calls a function when it is opened."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


def dated(path):
    """An entry whose date is always the same, so that the files are."""
    return zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))


def archive(name, data, entries=(), fail=None, method=zipfile.ZIP_STORED, root="archive/"):
    with zipfile.ZipFile(OUT / name, "w", method) as z:
        for path, b in [("data.pkl", data), ("version", b"3\n"), *entries]:
            z.writestr(dated(root + path), b, method)
    if fail:
        files[name] = dict(fail=fail)


def repacked():
    """Archives of other programs: the same tensors, packed by Python, and with zip64's fields."""
    original = OUT / "params.pth"
    with zipfile.ZipFile(original) as z:
        entries = [(i.filename, z.read(i)) for i in z.infolist()]
    for name, method, fail in (("stored.pth", zipfile.ZIP_STORED, None), ("deflated.pth", zipfile.ZIP_DEFLATED, "is compressed"), ("zip64.pth", zipfile.ZIP_STORED, None)):
        with zipfile.ZipFile(OUT / name, "w", method) as z:
            for path, b in entries:
                info = dated(path)
                info.compress_type = method
                with z.open(info, "w", force_zip64=name == "zip64.pth") as f:
                    f.write(b)
        files[name] = dict(fail=fail) if fail else files["params.pth"]
    with zipfile.ZipFile(OUT / "big_endian.pth", "w") as z:
        for path, b in entries:
            z.writestr(dated(path), b"big" if path.endswith("byteorder") else b)
    files["big_endian.pth"] = dict(fail="big-endian")
    # An archive of more than 65,535 entries or 4 GiB has its counts in another record.
    b = (OUT / "stored.pth").read_bytes()
    at = b.rindex(b"PK\5\6")
    count, size, start = struct.unpack("<HII", b[at + 10:at + 20])
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0)
    (OUT / "zip64_end.pth").write_bytes(b[:at] + record + locator + end)
    files["zip64_end.pth"] = files["params.pth"]


def refused():
    import os
    ran = "this file would run %s when opened by other programs"
    for protocol in range(6):
        name = "eval%d.pt" % protocol
        builtins = "__builtin__" if protocol < 3 else "builtins"
        archive(name, pickle.dumps({"weight": Call(eval, "1")}, protocol), fail=ran % (builtins + ".eval"))
    archive("system.ckpt", b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.", fail=ran % "os.system")
    archive("inst.pt", b"(X\x04\0\0\0trueios\nsystem\n.", fail=ran % "os.system")
    archive("stack.pt", b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.", fail=ran % "posix.system")
    archive("getattr.pt", b"\x80\x02c__builtin__\ngetattr\n.", fail=ran % "__builtin__.getattr")
    archive("hub.pt", b"\x80\x02ctorch.hub\nload\n.", fail=ran % "torch.hub.load")
    # A name that is allowed, with a dot in it: Python follows the dots.
    archive("dots.pt", b"\x80\x04\x8c\x05torch\x8c\x12Size.__init__.func\x93.", fail="Size.__init__.func")
    archive("callback.pt", b"\x80\x04\x8c\x2cpytorch_lightning.callbacks.model_checkpoint\x8c\x09os.system\x93.", fail="model_checkpoint.os.system")
    archive("hidden.pt", b"\x80\x02}X\x01\0\0\0acos\nsystem\n0K\x01s.", fail=ran % "os.system")
    archive("extension.pt", b"\x80\x02\x82\x01.", fail="registry of extensions")
    archive("lora_list.pt", pickle_of([numbers(2, 2)]), fail="without names")
    archive("text.pt", b"\x80\x02X\x02\0\0\0hi.", fail="no dictionary of tensors")
    archive("short.pt", b"\x80\x02}X\xff\0\0\0hi", fail="ends early")
    archive("missing.pt", pickle_of({"a": numbers(2)}), fail="are missing")
    archive("cut.pt", pickle_of({"a": numbers(2)}), [("data/0", b"1234")], fail="is cut off")
    archive("outside.pt", pickle_of({"a": numbers(2)}).replace(b"K\x02\x85", b"K\x09\x85"), [("data/0", b"12345678")], fail="not within its storage")
    archive("program.pt", b"\x80\x02}.", [("constants.pkl", b"\x80\x02).")], fail="TorchScript")
    archive("sparse.pt", b"\x80\x02ctorch._utils\n_rebuild_sparse_tensor\n.", fail="sparse tensors")
    archive("module.pt", b"\x80\x02ctorch.nn.modules.linear\nLinear\n.", fail="whole model")
    archive("other.zip", b"", fail="torch did not write", root="a/b/")
    (OUT / "plain.pkl").write_bytes(pickle.dumps({"a": 1}))
    files["plain.pkl"] = dict(fail="torch did not write")
    (OUT / "system_old.pt").write_bytes(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.")
    files["system_old.pt"] = dict(fail=ran % "os.system")
    whole = (OUT / "many.pth").read_bytes()
    (OUT / "half.pth").write_bytes(whole[:len(whole) // 2])
    files["half.pth"] = dict(fail="cut off")
    old = (OUT / "old.pt").read_bytes()
    (OUT / "half_old.pt").write_bytes(old[:-20])
    files["half_old.pt"] = dict(fail="cut off")


def pickle_of(value):
    b = io.BytesIO()
    torch.save(value, b)
    with zipfile.ZipFile(b) as z:
        return z.read(next(n for n in z.namelist() if n.endswith("data.pkl")))


def float8():
    codes = torch.arange(256, dtype=torch.uint8)
    bits = lambda t: codes.view(t).float().view(torch.int32).tolist()
    return {"F8_E4M3": bits(torch.float8_e4m3fn), "F8_E5M2": bits(torch.float8_e5m2)}


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    save("types.pt", every_type())
    few = ("type.float16", "double", "shared.whole", "shared.rows", "transposed", "empty")
    small = {k: v for k, v in every_type().items() if k in few}
    save("old.pt", small, _use_new_zipfile_serialization=False)
    for protocol in (3, 4, 5):
        save("protocol%d.pt" % protocol, {"a": numbers(2, 3), "b.c": torch.nn.Parameter(numbers(2))}, pickle_protocol=protocol)
    published()
    repacked()
    refused()
    (OUT / "pickles.json").write_text(json.dumps(files, indent=0, sort_keys=True).replace("\n", "").replace("}},", "}},\n"))
    (OUT / "float8.json").write_text(json.dumps(float8(), separators=(",", ":")))
    print("%d files, %d bytes" % (len(files), sum(p.stat().st_size for p in OUT.iterdir())))


if __name__ == "__main__":
    main()
