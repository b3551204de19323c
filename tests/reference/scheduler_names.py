"""diffusers' classes by the names of the command line, and what their from_config is given
besides the model's configuration. Package model/scheduler has the list."""
import json
import pathlib
import subprocess

_list = json.loads(subprocess.run(["go", "run", "./tests/reference/schedulers"], cwd=pathlib.Path(__file__).parent.parent.parent,
                                  check=True, capture_output=True).stdout)
CLASSES = {s["name"]: s["class"] for s in _list}
# The schedulers of the fixtures that were made first. Those stay as they are, and the other
# schedulers have files of their own.
FIRST = ("ddim", "pndm", "dpmpp_2m", "dpmpp_2m_karras", "euler", "euler_a", "unipc", "lcm")
ETA = {s["name"] for s in _list if s["eta"]}
ARGUMENTS = {s["name"]: s["arguments"] or {} for s in _list}
