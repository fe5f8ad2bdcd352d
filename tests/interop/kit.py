"""Reads what `trade sandbox --export` wrote: kit.json for the peers, capture.toml for a server whose
channels are a peer's port (`--point-at PORT`)."""

import json
import os
import re
import sys

folder = sys.argv[1]
with open(os.path.join(folder, "trade.toml"), encoding="utf-8") as file:
    settings = file.read()

if sys.argv[2:3] == ["--point-at"]:
    port = sys.argv[3]
    settings = re.sub(r'base_url = ".*"', f'base_url = "http://127.0.0.1:{port}"', settings)
    settings = re.sub(r'gateway_url = ".*"', f'gateway_url = "http://127.0.0.1:{port}/gateway.do"', settings)
    with open(os.path.join(folder, "capture.toml"), "w", encoding="utf-8") as file:
        file.write(settings)
    sys.exit()

with open(os.path.join(folder, "sandbox.json"), encoding="utf-8") as file:
    exported = json.load(file)


def inline(fields):
    """`x_file` becomes `x` with the file's content; everything else stays."""
    kit = {}
    for name, value in fields.items():
        if name.endswith("_file"):
            with open(os.path.join(folder, value), encoding="utf-8") as file:
                kit[name.removesuffix("_file")] = file.read()
        else:
            kit[name] = value
    return kit


with open(os.path.join(folder, "kit.json"), "w", encoding="utf-8") as file:
    json.dump({name: inline(fields) for name, fields in exported.items()}, file, ensure_ascii=False, indent=1)
