#!/usr/bin/env python3
"""Looks at every crate that reaches a user's build: normal and build dependencies, all features, all platforms.

usage: cargo metadata --format-version 1 --all-features --locked | dependencies.py msrv|licences PACKAGE
"""

import json
import re
import sys

PERMISSIVE = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
}


def reached(metadata, root):
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found, todo = set(), [root]
    while todo:
        id = todo.pop()
        if id in found:
            continue
        found.add(id)
        todo += [dep["pkg"] for dep in nodes[id]["deps"] if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])]
    return found - {root}


def version(text):
    return tuple(int(part) for part in (text.split("-")[0].split(".") + ["0", "0"])[:3])


def msrv(own, others):
    ours = own["rust_version"] or sys.exit(f"{own['name']} names no rust-version")
    asking = sorted((p for p in others if p["rust_version"]), key=lambda p: version(p["rust_version"]), reverse=True)
    bad = [p for p in asking if version(p["rust_version"]) > version(ours)]
    for p in bad:
        print(f"{p['name']} {p['version']} needs Rust {p['rust_version']}, more than our {ours}")
    highest = ", ".join(f"{p['name']} {p['version']} ({p['rust_version']})" for p in asking[:3])
    print(f"rust-version {ours}; of {len(others)} dependencies these ask the most: {highest}")
    return not bad


def permissive(expression):
    """Whether an SPDX expression can be met by permissive licences alone: an OR needs one side, an AND both."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def either():
        found = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            found = both() or found
        return found

    def both():
        found = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            found = one() and found
        return found

    def one():
        token = tokens.pop(0)
        if token == "(":
            found = either()
            tokens.pop(0)
            return found
        if tokens[:1] == ["WITH"]:
            token = f"{token} {tokens.pop(0)} {tokens.pop(0)}"
        return token in PERMISSIVE

    return either()


def licences(_, others):
    bad = [p for p in others if not (p["license"] and permissive(p["license"]))]
    for p in bad:
        print(f"{p['name']} {p['version']}: {p['license'] or 'names no licence'}, which is not a permissive licence we know")
    print(f"{len(others) - len(bad)} of {len(others)} dependencies have a permissive licence")
    return not bad


def main():
    question, name = sys.argv[1:]
    metadata = json.load(sys.stdin)
    packages = {package["id"]: package for package in metadata["packages"]}
    (root,) = [id for id in metadata["workspace_members"] if packages[id]["name"] == name]
    others = sorted((packages[id] for id in reached(metadata, root)), key=lambda p: p["name"])
    sys.exit(0 if {"msrv": msrv, "licences": licences}[question](packages[root], others) else 1)


main()
