#!/usr/bin/env python3
"""Measures the whole program against what else looks at such files, as ratios within one run.

    cargo build --profile dist
    benches/whole.py --corpus FOLDER            all scenarios but `build`
    benches/whole.py one memory --json          some of them, for programs

`benches/README.md` says what each scenario is, how to repeat the published table, and what is in it. Needs nothing
but Python 3.10 and `rg`; ruamel.yaml and Renovate are installed into the user's cache when a scenario runs them.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import others
import trees
from timing import Command, RunError, compare, median, ratio, say

HOME = Path(__file__).resolve().parent.parent
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
CHECK = ["--check", "."]
DRY_RUN = ["--dry-run", "--registry", REGISTRY, "--rules", "default", "."]
MB = 1024  # KiB
# Files of the smallest tree whose cost per file is measured.
FEW = 5_000
# Files of the repository in which a hook checks one.
HOOK_FILES = 10_000
# Runs of what takes milliseconds, for one of what takes seconds.
SHORT = 5
POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: web\n    image: nginx:1.27\n"


@dataclass
class Row:
    """One line of the table."""

    what: str
    ours: str
    theirs: str
    # The figure that the aim is about, as text and as a number.
    figure: str
    value: float
    aim: str
    met: object  # True, False, or None where nothing is aimed at
    # The largest share of the processors that other programs took.
    busy: float = 0.0


class Bench:
    """What the scenarios share: the program, the trees, how often."""

    def __init__(self, wanted):
        self.program = str(Path(wanted.program).resolve())
        self.corpus = Path(wanted.corpus) if wanted.corpus else None
        self.work = Path(wanted.work)
        self.rounds, self.times, self.files = wanted.rounds, wanted.times, wanted.files
        self.without = wanted.without

    def ours(self, tree, args, fine=(0, 1, 2)):
        """The program in a tree. Findings, and files of a corpus that are no YAML, are no failures of ours."""
        return Command("ecr-rewrite", [self.program, *args], str(tree), fine)

    def copies(self, times):
        """The corpus, that many times."""
        if not self.corpus:
            raise trees.TreeError("this scenario measures a corpus; name its folder with `--corpus`")
        return trees.copies(self.corpus, times, self.work)

    def monorepo(self, files, migrated=False):
        """The monorepo."""
        return trees.monorepo(files, self.work, migrated)


def against_rg(bench, tree, args, what, aim):
    """A mode of the program and `rg -c` on the same files, in turn."""
    commands = [bench.ours(tree, args), others.ripgrep(tree)]
    (ours, theirs), busy = compare(commands, bench.rounds)
    value = ratio(ours, theirs)
    return Row(
        f"{what} ({count(tree):,} files)", f"{cost(ours)}", f"`rg -c` {seconds(theirs)}",
        f"{value:.1f}×", value, f"≤ {aim}×", value <= aim, busy,
    )


def check(bench):
    """`--check` over the corpus several times over."""
    what = f"`--check`, corpus ×{bench.times}"
    return [against_rg(bench, bench.copies(bench.times), CHECK, what, 2)]


def dry_run(bench):
    """`--dry-run` that changes thousands of sites."""
    tree = bench.copies(bench.times)
    changed = changes(bench, tree)
    what = f"`--dry-run`, corpus ×{bench.times}, {changed:,} lines change"
    return [against_rg(bench, tree, DRY_RUN, what, 3)]


def as_it_is(bench):
    """The corpus as it is, against everything."""
    tree = bench.copies(1)
    rows = [against_rg(bench, tree, CHECK, "`--check`, corpus as it is", 2)]
    rivals = [
        ("renovate", 300, lambda: others.renovate(tree, bench.work)),
        ("ruamel", 100, lambda: others.ruamel(tree)),
    ]
    for name, aim, rival in rivals:
        if name not in bench.without:
            rows.append(against_slow(bench, tree, rival(), aim))
    return rows


def against_slow(bench, tree, rival, aim):
    """The program and one that takes minutes: that runs once, between runs of ours."""
    ours = bench.ours(tree, CHECK)
    (before,), _ = compare([ours], bench.rounds)
    (theirs,), busy = compare([rival], 1, warm=False)
    (after,), _ = compare([ours], bench.rounds, warm=False)
    ours = before + after
    value = median(theirs, "wall") / median(ours, "wall")
    return Row(
        "`--check`, corpus as it is", cost(ours), f"{rival.name} {seconds(theirs)}",
        f"{value:.0f}× faster", value, f"≥ {aim}×", value >= aim, busy,
    )


def scale(bench):
    """What a file costs in small and large trees."""
    sizes = [FEW, bench.files]
    found = [bench.monorepo(size) for size in sizes]
    per_file, rows, shares = [], [], []
    for size, tree in zip(sizes, found, strict=True):
        commands = [bench.ours(tree, CHECK), others.ripgrep(tree)]
        (ours, theirs), busy = compare(commands, bench.rounds)
        per_file.append(median(ours, "wall") / size)
        shares.append(busy)
        value = ratio(ours, theirs)
        rows.append(Row(f"`--check`, monorepo of {size:,} files", cost(ours), f"`rg -c` {seconds(theirs)}",
                        f"{value:.1f}×", value, "", None, busy))
    value = per_file[1] / per_file[0] - 1
    shown = " → ".join(f"{cost * 1e6:.1f} µs" for cost in per_file)
    rows.append(Row(f"cost per file, {sizes[0]:,} → {sizes[1]:,} files", shown, "", f"{value:+.0%}", value,
                    "within 15 %", value <= 0.15, max(shares)))
    return rows


def memory(bench):
    """Peak memory over many files: of a repository that has moved to ECR, and of one that has not."""
    rows = []
    for migrated, said in ((True, "all images from ECR"), (False, "no image from ECR")):
        tree = bench.monorepo(bench.files, migrated)
        (ours,), busy = compare([bench.ours(tree, CHECK)], 1, warm=False)
        value = median(ours, "peak") / MB
        rows.append(Row(f"peak memory, `--check`, {bench.files:,} files, {said}", seconds(ours), "",
                        f"{value:.0f} MB", value, "≤ 80 MB", value <= 80, busy))
    return rows


def one(bench):
    """One file in a tree of its own: what starting costs."""
    tree = bench.work / "one"
    (tree / ".git").mkdir(parents=True, exist_ok=True)
    (tree / "pod.yaml").write_text(POD)
    commands = [bench.ours(tree, CHECK, fine=(1,)), others.ripgrep(tree)]
    (ours, theirs), busy = compare(commands, bench.rounds * SHORT)
    value = median(ours, "wall") * 1000
    return [Row("one file in a tree of its own", cost(ours), f"`rg -c` {median(theirs, 'wall') * 1000:.1f} ms",
                f"{value:.1f} ms", value, "≤ 10 ms", value <= 10, busy)]


def hook(bench):
    """One file of a repository, as pre-commit passes it, with the rest as its context."""
    tree = bench.monorepo(HOOK_FILES)
    file = "teams/team-0/app-3/base/deployment.yaml"
    commands = [bench.ours(tree, ["--check", "--force-exclude", "--", file], fine=(1,)), others.ripgrep(tree)]
    (ours, theirs), busy = compare(commands, bench.rounds * SHORT)
    value = ratio(ours, theirs)
    return [Row(f"one file of {HOOK_FILES:,}, as a hook passes it", cost(ours), f"`rg -c` {seconds(theirs)}",
                f"{value:.1f}×", value, "", None, busy)]


def binary(bench):
    """The size of the program as it is released."""
    value = os.path.getsize(bench.program) / 1e6
    return [Row("release binary, stripped", "", "", f"{value:.1f} MB", value, "≤ 8 MB", value <= 8)]


def build(bench):
    """A release build from nothing but the downloaded crates; it stays in `--work`, to be measured."""
    target = bench.work / "target"
    shutil.rmtree(target, ignore_errors=True)
    env = {"CARGO_TARGET_DIR": str(target)}
    command = Command("cargo", ["cargo", "build", "--release", "--locked"], str(HOME), env=env)
    (runs,), busy = compare([command], 1, warm=False)
    value = median(runs, "wall")
    return [Row("clean release build", f"{median(runs, 'cpu'):.0f} s of processor time", "",
                f"{value / 60:.1f} min", value, "≤ 4 min", value <= 240, busy)]


# By the name that asks for it. `build` is slow and runs only when asked for.
SCENARIOS = {
    "check": check, "dry-run": dry_run, "as-is": as_it_is, "scale": scale, "memory": memory,
    "one": one, "hook": hook, "binary": binary, "build": build,
}


def count(tree):
    """How many files the program reads there."""
    globs = [part for glob in others.GLOBS for part in ("--glob", glob)]
    listed = subprocess.run(["rg", "--files", *globs], cwd=tree, capture_output=True, check=False)
    return listed.stdout.count(b"\n")


def changes(bench, tree):
    """How many lines the diff writes anew."""
    command = bench.ours(tree, DRY_RUN)
    done = subprocess.run(command.args, cwd=tree, capture_output=True, check=False)
    return sum(line[:1] == b"+" and line[:4] != b"+++ " for line in done.stdout.split(b"\n"))


def cost(runs):
    """The medians of ours."""
    wall, cpu, peak = (median(runs, what) for what in ("wall", "cpu", "peak"))
    wall, cpu = (f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.1f} ms" for value in (wall, cpu))
    # The system counts what a process was before it became another program: this one.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = f"{peak / MB:.0f} MB" if peak > own * 1.1 else f"less than {peak / MB:.0f} MB"
    return f"{wall}, {cpu} of processor time, {size}"


def seconds(runs):
    """The median of theirs."""
    return f"{median(runs, 'wall'):.2f} s"


def circumstances(bench):
    """On what, and of what, the figures are."""
    def said(*args):
        done = subprocess.run(args, cwd=HOME, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    memory_kib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024
    changed = "" if not said("git", "status", "--porcelain", "src", "Cargo.lock") else " and changes"
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "commit": said("git", "rev-parse", "--short", "HEAD") + changed,
        "cores": os.cpu_count(),
        "memory": f"{memory_kib / MB / 1024:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "rg": said("rg", "--version").split("\n")[0],
        "ruamel.yaml": others.RUAMEL,
        "renovate": others.RENOVATE,
        "node": said("node", "--version"),
        "rounds": bench.rounds,
    }


def table(rows):
    """The rows as Markdown."""
    lines = ["| what | ecr-rewrite | against | figure | aim | |", "|---|---|---|---|---|---|"]
    words = {True: "met", False: "**missed**", None: ""}
    for row in rows:
        cells = [row.what, row.ours, row.theirs, row.figure, row.aim, words[row.met]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def arguments():
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}; all but `build`")
    program = os.environ.get("CARGO_TARGET_DIR", HOME / "target")
    parser.add_argument("--program", default=f"{program}/dist/ecr-rewrite", help="the program as it is released [%(default)s]")
    parser.add_argument("--corpus", help="a folder of GitOps repositories")
    work = Path(tempfile.gettempdir()) / "ecr-rewrite-benches"
    parser.add_argument("--work", default=work, help="where trees are made, and kept for the next time [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each command [%(default)s]")
    parser.add_argument("--times", type=int, default=10, help="copies of the corpus [%(default)s]")
    parser.add_argument("--files", type=int, default=200_000, help="files of the monorepo [%(default)s]")
    parser.add_argument("--without", action="append", default=[], choices=["renovate", "ruamel"],
                        help="leave one of the slow programs out")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    wanted = parser.parse_args()
    for name in wanted.scenario:
        if name not in SCENARIOS:
            parser.error(f"there is no scenario `{name}`; there are {', '.join(SCENARIOS)}")
    if min(wanted.rounds, wanted.times, wanted.files) < 1:
        parser.error("`--rounds`, `--times` and `--files` begin at 1")
    if wanted.scenario != ["build"] and not shutil.which(wanted.program):
        parser.error(f"{wanted.program}: no such program; build it with `cargo build --profile dist`, or name another "
                     "with `--program`")
    return wanted


def main():
    """Runs the scenarios; the exit code says whether each could be run, not whether its aim is met."""
    wanted = arguments()
    bench = Bench(wanted)
    names = wanted.scenario or [name for name in SCENARIOS if name != "build"]
    rows, failed = [], False
    for name in names:
        say(f"{name}: {SCENARIOS[name].__doc__}")
        try:
            rows += SCENARIOS[name](bench)
        except (trees.TreeError, others.Missing, RunError, OSError) as error:
            say(f"error: {name}: {error}")
            failed = True
    about = circumstances(bench)
    if wanted.json:
        print(json.dumps({"about": about, "rows": [asdict(row) for row in rows]}, indent=2, ensure_ascii=False))
    else:
        print(", ".join(f"{key} {value}" for key, value in about.items()))
        print(f"others took at most {max((row.busy for row in rows), default=0):.0%} of the processors\n")
        print(table(rows))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
