#!/usr/bin/env python3
"""Refuses foreign types in public signatures.

Walks rustdoc's JSON from the crate root through everything public and reports each path into a crate that
`[package.metadata.cargo_check_external_types]` in Cargo.toml does not list. Rustdoc has already left out private and
doc-hidden items. std, core and alloc are always allowed; so is what macros name below a hidden `__private`.

The tool which that table belongs to works on rustdoc's JSON of one exact format, so that it breaks with the toolchain,
and does not look at what an inherent impl is for; hence this script.

usage: external_types.py Cargo.toml target/doc/crate_name.json
"""

import fnmatch
import json
import sys
import tomllib

OWN = 0


class Walk:
    def __init__(self, doc, allowed):
        self.index = doc["index"]
        self.paths = doc["paths"]
        self.crates = doc["external_crates"]
        self.allowed = allowed
        self.seen = set()
        self.checked = 0
        self.used = set()
        self.leaks = {}

    def item(self, id, where):
        if id in self.seen:
            return
        self.seen.add(id)
        item = self.index.get(str(id))
        # A foreign item, or one that rustdoc stripped.
        if item is None or item["crate_id"] != OWN or item["visibility"] not in ("public", "default"):
            return
        (kind, inner), = item["inner"].items()
        if item["name"]:
            where = f"{where}::{item['name']}".removeprefix("::")
            self.checked += 1
        match kind:
            case "module":
                self.items(inner["items"], where)
            case "use":
                if inner["id"] is not None:
                    self.foreign(inner["id"], f"{where} (pub use {inner['source']})", item)
                    self.item(inner["id"], where)
            case "extern_crate":
                self.name(inner["name"], inner["name"], f"{where} (pub extern crate)", item)
            case "impl":
                # Auto traits and other crates' blanket impls say nothing that we wrote.
                if not inner["is_synthetic"] and inner["blanket_impl"] is None:
                    self.types([inner["trait"], inner["for"], inner["generics"]], f"{where}: an impl", item)
                    self.items(inner["items"], where)
            case _:
                self.types(inner, where, item)
                for list in ("impls", "implementations", "items", "variants", "fields"):
                    # A trait's implementations are found at their types; another crate's type is not ours to answer for.
                    self.items(inner.get(list) or [] if isinstance(inner, dict) else [], where)
                self.items(self.plain_fields(inner), where)

    def items(self, ids, where):
        for id in ids:
            self.item(id, where)

    @staticmethod
    def plain_fields(inner):
        """The fields of a struct or a variant: `kind` is "unit", {"tuple": [id]} or {"plain": {"fields": [id]}}."""
        kind = inner.get("kind") if isinstance(inner, dict) else None
        if not isinstance(kind, dict):
            return []
        fields = kind.get("tuple") or (kind.get("plain") or kind.get("struct") or {}).get("fields", [])
        return [id for id in fields if id is not None]

    def types(self, node, where, item):
        """Every path in a signature, however deep: types, bounds, generic arguments, associated types."""
        if isinstance(node, list):
            for child in node:
                self.types(child, where, item)
        elif isinstance(node, dict):
            if "path" in node and isinstance(node.get("id"), int):
                self.foreign(node["id"], where, item)
            for child in node.values():
                self.types(child, where, item)

    def foreign(self, id, where, item):
        summary = self.paths.get(str(id))
        if summary is not None and summary["crate_id"] != OWN:
            self.name(self.crates[str(summary["crate_id"])]["name"], "::".join(summary["path"]), where, item)

    def name(self, crate, path, where, item):
        if crate in ("std", "core", "alloc") or "::__private::" in path:
            return
        self.used.add(crate)
        if not any(fnmatch.fnmatchcase(path, pattern) or path == pattern.removesuffix("::*") for pattern in self.allowed):
            span = item["span"]
            line = f"{span['filename']}:{span['begin'][0]}" if span else "?"
            self.leaks.setdefault((line, where, path))


def main():
    manifest, rustdoc = sys.argv[1:]
    with open(manifest, "rb") as file:
        allowed = tomllib.load(file)["package"]["metadata"]["cargo_check_external_types"]["allowed_external_types"]
    with open(rustdoc) as file:
        doc = json.load(file)
    walk = Walk(doc, allowed)
    root = doc["index"][str(doc["root"])]
    walk.item(doc["root"], "")
    if walk.checked < 2:
        sys.exit(f"{rustdoc}: found nothing public in {root['name']} (format {doc['format_version']}); has the format changed?")
    for line, where, path in walk.leaks:
        print(f"{line}: {where} shows {path}, which [package.metadata.cargo_check_external_types] does not allow")
    print(f"{walk.checked} public items of {root['name']} name these crates: {', '.join(sorted(walk.used)) or 'none'}")
    sys.exit(1 if walk.leaks else 0)


main()
