#!/usr/bin/env python3
"""Makes the manifest of a copy stand alone, in place: it leaves the workspace, so that the copy may lie anywhere.

--bare   also takes away what a user's build does not have, above all the dev-dependencies: they would lend the library
         what it forgot to name.
--strict also makes its warnings errors. A lint table reaches this crate alone; RUSTFLAGS would build every dependency
         once more.

usage: strip_manifest.py Cargo.toml [--bare] [--strict]
"""

import re
import sys

path, *options = sys.argv[1:]
with open(path) as file:
    text = file.read()
kept = ["[workspace]\n\n"]
for section in re.split(r"(?m)^(?=\[)", text):
    head = section.split("]")[0].lstrip("[")
    if head.split(".")[0] == "workspace":
        continue
    if "--bare" in options and (head in ("bench", "example", "test") or "dev-dependencies" in head.split(".")):
        continue
    if "--strict" in options and head == "lints.rust":
        section = section.replace("\n", '\nwarnings = { level = "deny", priority = -2 }\n', 1)
    kept.append(section)
with open(path, "w") as file:
    file.writelines(kept)
