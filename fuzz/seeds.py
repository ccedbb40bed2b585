#!/usr/bin/env python3
"""Writes the seed corpora of the fuzz targets, made of testdata, to fuzz/seeds/<target>/.

    fuzz/seeds.py

Each target takes the texts that it is about; what the input of a target looks like says its function in
fuzz/src/properties.rs. Nothing made here is committed.
"""
import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
TESTDATA = HERE.parent / "testdata"
SEEDS = HERE / "seeds"
# Longer ones make a fuzzer slow, and show nothing that a short one does not.
LARGEST = 6_000


def seed(target, text):
    """One file, named by what is in it: a text that is met twice is there once."""
    data = text.encode()
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def texts():
    """The texts of all cases, with their paths in the case's repository."""
    for path in sorted(TESTDATA.glob("*/in/**/*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        if len(data) > LARGEST or b"\0" in data:
            continue
        try:
            text = data.decode()
        except UnicodeDecodeError:
            continue
        case = path.relative_to(TESTDATA).parts[0]
        yield path.relative_to(TESTDATA / case / "in").as_posix(), text


def main():
    for plan in sorted(TESTDATA.glob("*/plan.json")):
        plan = json.loads(plan.read_text())
        for entry in plan["changes"] + plan["skips"]:
            for key in ("from", "to", "text"):
                seed("image_ref", entry.get(key, "nginx"))
    for config in sorted(TESTDATA.glob("*/.ecr-rewrite.yaml")):
        seed("config", config.read_text())
    for number, (path, text) in enumerate(texts()):
        seed("scalar_spans", text)
        if "{{" in text or "{%" in text:
            seed("mask", text)
        if "\n" not in path:
            seed("plan_text", f"{path}\n{text}")
        # The first byte says what holds the text, and how: five holders, six ways (0 is `|`).
        seed("embedded", chr(number % 30 + 60) + text)
        seed("embedded", chr(number % 5 + 60) + text)
    for folder in sorted(SEEDS.iterdir()):
        print(f"{folder.name}: {len(list(folder.iterdir()))} seeds")


main()
