"""diffusers' classes by the names of the command line, and what their from_config is given
besides the model's configuration. Package model/scheduler has the list."""
import json
import pathlib
import subprocess

_list = json.loads(subprocess.run(["go", "run", "./tests/reference/schedulers"], cwd=pathlib.Path(__file__).parent.parent.parent,
                                  check=True, capture_output=True).stdout)
CLASSES = {s["name"]: s["class"] for s in _list}
ARGUMENTS = {s["name"]: s["arguments"] or {} for s in _list}
