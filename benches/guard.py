#!/usr/bin/env python3
"""Fails when the program needs more instructions than it did: the guard against becoming slow by accident.

    benches/guard.py --program target/release/ecr-rewrite             compares with the record
    benches/guard.py --program target/release/ecr-rewrite --record    writes the record anew

Valgrind's callgrind counts the instructions of runs over inputs that are made of testdata. A count is the same on
a busy machine and on a calm one, which a time is not; it differs a little between compilers and processors,
for which there is room. Without valgrind nothing is compared, and that is said. Exit codes: 0 within the bound
(or nothing compared), 1 beyond it, 2 when something could not be run.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from trees import monorepo_files, put

HOME = Path(__file__).resolve().parent.parent
RECORD = Path(__file__).with_name("guard.json")
# How much more than the record is too much.
MORE = 0.25
# How much less is worth a new record: with an old one, so much could be lost again unseen.
LESS = 0.15
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
CHECK = ["--check", "."]
DRY_RUN = ["--dry-run", "--registry", REGISTRY, "--rules", "default", "."]
# Nothing outside of the tree decides, and one thread does it all: waiting threads count, too.
ENVIRONMENT = {"PATH": os.defpath, "RAYON_NUM_THREADS": "1", "LC_ALL": "C"}
# A fixed list, so that a new case changes no count.
CASES = [
    "argo-kustomize", "charts-at-hand", "charts-known", "demo", "embedded-configmap", "embedded-patches",
    "flux-kustomize", "kustomize-chain", "kustomize-components", "kustomize-new-names", "policies", "quoting",
    "release-argo", "release-flux", "release-helmfile", "resources-table", "seed-library-false", "seed-wordpress",
    "templates-branches", "templates-helm", "texts-args", "texts-env", "values-hub", "values-layers", "values-parts",
    "values-references", "vendored-charts", "workloads",
]
TIMES = 2
# Files of the made-up monorepo.
FILES = 1_000


class GuardError(Exception):
    """Something that could not be run, and what to do."""


def one_file(tree):
    """One file: what starting costs."""
    shutil.copy(HOME / "testdata/seed-deployment/in/deployment.yaml", tree)


def cases(tree):
    """Cases of testdata, several times over: finders, templates and charts have something to do."""
    for n in range(TIMES):
        for name in CASES:
            source = HOME / "testdata" / name
            folder = source / "in" if (source / "in").is_dir() else source
            shutil.copytree(folder, tree / f"copy-{n}" / name, symlinks=True, ignore=shutil.ignore_patterns(".*"))


def monorepo(tree):
    """A small monorepo: walking, reading, and searching what names no image."""
    for path, text in monorepo_files(FILES):
        put(tree / path, text)


# Name, what makes its tree, arguments, exit codes of a run that did its work.
INPUTS = [
    ("one file", one_file, CHECK, (1,)),
    ("testdata, check", cases, CHECK, (1,)),
    ("testdata, dry run", cases, DRY_RUN, (0,)),
    ("monorepo, check", monorepo, CHECK, (1,)),
]


def count(valgrind, program, make, args, fine):
    """The instructions of one run."""
    with tempfile.TemporaryDirectory(prefix="guard-") as folder:
        tree = Path(folder) / "tree"
        # The root of a repository: nothing around it counts.
        (tree / ".git").mkdir(parents=True)
        make(tree)
        command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", program, *args]
        environment = {**ENVIRONMENT, "HOME": folder}
        done = subprocess.run(
            command, cwd=tree, env=environment, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
        )
    collected = re.findall(r"Collected : (\d+)", done.stderr)
    if done.returncode not in fine or not collected:
        raise GuardError(f"exit code {done.returncode}, where {fine} would do: {done.stderr.strip()[-600:]}")
    return int(collected[-1])


def valgrind():
    """Where valgrind is; installed from Debian's packages when this is CI; or nothing."""
    found = shutil.which("valgrind")
    if found or os.environ.get("CI") != "true" or not shutil.which("apt-get"):
        return found
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    for step in (["update", "-qq"], ["install", "-qq", "--yes", "valgrind"]):
        try:
            subprocess.run([*as_root, "apt-get", *step], check=False, capture_output=True)
        except OSError:
            return None
    return shutil.which("valgrind")


def judge(name, counted, recorded):
    """What there is to say of a count, and whether it is within the bound."""
    if recorded is None:
        return f"{name}: {counted:,} instructions, none recorded; record them with `--record`", False
    change = counted / recorded - 1
    said = f"{name}: {counted:,} instructions, {change:+.1%} of the recorded {recorded:,}"
    if change > MORE:
        return f"{said}; more than {MORE:+.0%}: mend it, or say why and record anew with `--record`", False
    if change < -LESS:
        return f"{said}; hint: record the gain with `--record`, so that it is kept", True
    return said, True


def arguments():
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    program = Path(os.environ.get("CARGO_TARGET_DIR", HOME / "target")) / "release/ecr-rewrite"
    parser.add_argument("--program", default=program, type=Path, help="a release build [%(default)s]")
    parser.add_argument("--record", action="store_true", help="write the counts to benches/guard.json")
    wanted = parser.parse_args()
    if not wanted.program.is_file():
        parser.error(f"{wanted.program}: no such program; build it with `cargo build --release`, or name another "
                     "with `--program`")
    return wanted


def main():
    """Counts, and compares or records."""
    wanted = arguments()
    tool = valgrind()
    if not tool:
        print("!! SKIPPED: the instruction counts; there is no `valgrind` on the PATH (Debian: `apt-get install "
              "valgrind`)")
        return 2 if wanted.record else 0
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    counts, within = {}, True
    for name, make, args, fine in INPUTS:
        try:
            counts[name] = count(tool, wanted.program.resolve(), make, args, fine)
        except (GuardError, OSError) as error:
            print(f"error: {name}: {error}", file=sys.stderr)
            return 2
        if wanted.record:
            print(f"{name}: {counts[name]:,} instructions", flush=True)
            continue
        said, fits = judge(name, counts[name], record.get(name))
        print(said, flush=True)
        within &= fits
    if wanted.record:
        RECORD.write_text(json.dumps(counts, indent=2) + "\n")
        print(f"recorded in {RECORD.relative_to(HOME)}")
        return 0
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
