#!/usr/bin/env python3
"""Tries mutants of the modules that decide what is written: whether any test notices.

    mutants/run.py [--shard K/N] [--only FILE] [--minutes N] [--again] [--work FOLDER]

All mutants are planted into one copy of the sources (`plant`, in src/main.rs) and built once; each is then
awake in runs of the tests that meet it, those beside the code first, until one fails. Mutants that do not compile
are dropped by what the compiler says of them. They are tried in an order that is random and always the same, so that what was tried when
`--minutes` are over is a fair sample; `--shard 0/8` takes every eighth. `--again` goes on with the build of the last run.

Prints a table by module and the mutants that no test noticed, and keeps both in the work folder. Needs cargo; a
mutant that the tests beside the code notice takes seconds, one that nothing notices minutes.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
# Repositories and charts that stand beside the project, for the tests that need them.
SHARED = Path(os.environ.get("ECR_REWRITE_SHARED") or HOME.parent / "shared")
# Behind the name of a test: those in it that are over real repositories.
REAL = " --ignored"
# The modules that decide what is written.
MODULES = {
    "edit": ["src/edit.rs"],
    "verify": ["src/verify.rs"],
    "image": ["src/image.rs"],
    "rules": ["src/rules/**/*.rs"],
    "link": ["src/link/**/*.rs", "src/link.rs"],
}
# Tests in the order in which they are asked: quick ones first. The empty word is those beside the code.
TESTS = ["", f"reference_vectors{REAL}", f"near_misses{REAL}", f"contract{REAL}", "engines", "inputs", "repeats",
         "images", "explain", "templates", "properties", "charts", "kustomize", "filled", "fuzz", "cli", "check",
         "nearby", "write", "rules", "cases", "release_layers", "values_layers", f"kustomize_build{REAL}", "prove",
         f"corpus{REAL}", "kustomize_build", f"chart_overrides{REAL}", f"seed_charts{REAL}", f"helm_render{REAL}"]
# Slow ones that are about one module only.
ABOUT = {"rules": "src/rules"}
# Slow ones make fewer cases.
ROUNDS = {"properties": "60"}
# What a mutant may take of what the tests take without one, and seconds on top.
PATIENCE, GRACE = 5, 20
MEMORY = 6 << 30
# Asked by every mutant in the copy. Where it is told a file, it notes there which mutants are asked for.
AWAKE = '''
/// Whether this mutant is awake.
#[allow(missing_docs)]
pub fn mutated(id: u32) -> bool {
    use std::sync::atomic::{AtomicBool, Ordering};
    static REACHED: std::sync::LazyLock<Option<std::fs::File>> = std::sync::LazyLock::new(|| {
        let path = std::env::var_os("ECR_REWRITE_MUTANTS_REACHED")?;
        std::fs::File::options().create(true).append(true).open(path).ok()
    });
    static SEEN: [AtomicBool; 1 << 14] = [const { AtomicBool::new(false) }; 1 << 14];
    if let Some(mut file) = REACHED.as_ref()
        && !SEEN[id as usize].swap(true, Ordering::Relaxed)
    {
        let _ = std::io::Write::write_all(&mut file, format!("{id}\\n").as_bytes());
    }
    static AWAKE: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {
        let said = std::env::var("ECR_REWRITE_MUTANT").ok();
        said.and_then(|said| said.parse().ok()).unwrap_or(0)
    });
    *AWAKE == id
}
'''


def say(text):
    print(text, file=sys.stderr, flush=True)


def sources():
    """The files of each module."""
    return {name: sorted({str(path.relative_to(HOME)) for glob in globs for path in HOME.glob(glob)})
            for name, globs in MODULES.items()}


def prepare(tree, files, plant, dropped):
    """A copy of the project, with mutants in it; what was planted."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HOME, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        target = tree / name
        if not (HOME / name).is_file() or (target.exists() and not name.endswith(".rs") and
                                           target.stat().st_mtime >= (HOME / name).stat().st_mtime):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(HOME / name, target)
    library = tree / "src/lib.rs"
    library.write_text(library.read_text() + AWAKE)
    # What is planted is not beautiful, and nobody reads it.
    manifest = tree / "Cargo.toml"
    text = re.sub(r"(?ms)^\[lints\..*?(?=^\[(?!lints))", "", manifest.read_text())
    manifest.write_text(text)
    done = subprocess.run([plant, tree, dropped, *files], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def compiles(tree, target):
    """The mutants that the compiler complains of; none when it does not."""
    args = ["cargo", "check", "--lib", "--message-format=json"]
    done = subprocess.run(args, cwd=tree, env=os.environ | {"CARGO_TARGET_DIR": str(target)}, capture_output=True,
                          text=True, check=False)
    bad, other = set(), []
    for line in done.stdout.splitlines():
        message = json.loads(line).get("message")
        if not isinstance(message, dict) or message.get("level") != "error" or not message.get("spans"):
            continue
        found = set()
        for span in message["spans"]:
            lines = (tree / span["file_name"]).read_text().split("\n") if span["is_primary"] else []
            for reach in (0, 1, 3, 8):
                first, last = span["line_start"] - 1 - reach, span["line_end"] + reach
                near = re.findall(r"/\*m:(\d+)\*/", "\n".join(lines[max(first, 0):last]))
                if near:
                    found.update(map(int, near))
                    break
        bad |= found
        if not found:
            other.append(message["rendered"])
    if done.returncode != 0 and not bad:
        raise SystemExit("the copy does not compile:\n" + "".join(other) + done.stderr[-3000:])
    return bad


def build(tree, target):
    """The test programs, by the names of their tests."""
    asked = [test for test in TESTS if SHARED.is_dir() or REAL not in test]
    if len(asked) < len(TESTS):
        say(f"SKIPPED: the tests over real repositories; there is no {SHARED}")
    files = sorted({test.removesuffix(REAL) for test in asked})
    wanted = [argument for test in files for argument in (["--test", test] if test else ["--lib"])]
    args = ["cargo", "test", "--no-run", "--message-format=json", "--bins", *wanted]
    # The parsers stay optimised, and so is the rest, lightly: it is built once and run thousands of times.
    env = os.environ | {"CARGO_TARGET_DIR": str(target), "CARGO_PROFILE_DEV_DEBUG": "0",
                        "CARGO_PROFILE_DEV_OPT_LEVEL": "1", "CARGO_INCREMENTAL": "0"}
    done = subprocess.run(args, cwd=tree, env=env, stdout=subprocess.PIPE, text=True, check=True)
    programs = {}
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["kind"] != ["bin"]:
            name = "" if "lib" in message["target"]["kind"] else message["target"]["name"]
            programs[name] = message["executable"]
    return {name: programs[name.removesuffix(REAL)] for name in asked}


def run(program, name, tree, skipped, mutant, seconds, reached=None):
    """Whether the tests pass: True, False, or None when they do not end. Notes in `reached` which mutants they meet."""
    args = [program, "--test-threads", "1", "-q", *(word for test in skipped for word in ("--skip", test))]
    if name.endswith(REAL):
        args.append(REAL.strip())
    with tempfile.TemporaryDirectory() as scratch:
        env = os.environ | {"ECR_REWRITE_MUTANT": str(mutant), "ECR_REWRITE_ROUNDS": ROUNDS.get(name, "3"),
                            "RAYON_NUM_THREADS": "1", "RUST_BACKTRACE": "0", "TMPDIR": scratch,
                            "CARGO_MANIFEST_DIR": str(tree),
                            "ECR_REWRITE_SHARED": str(SHARED.resolve()) if name.endswith(REAL) else ""}
        if reached:
            env["ECR_REWRITE_MUTANTS_REACHED"] = str(reached)
        limit = ["prlimit", f"--as={MEMORY}"] if shutil.which("prlimit") else []
        child = subprocess.Popen([*limit, *args], cwd=tree, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, errors="replace", start_new_session=True)
        try:
            said, _ = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            return None, ""
        return child.returncode == 0, said


def baselines(programs, tree, work):
    """How long each program takes without a mutant, the tests that fail even so (those of the source's form), and the
    mutants it meets."""
    known = {}
    for name, program in programs.items():
        skipped, reached = [], work / f"reached-{name or 'lib'}"
        reached.unlink(missing_ok=True)
        reached.touch()
        for _ in range(3):
            began = time.monotonic()
            passed, said = run(program, name, tree, skipped, 0, 1800, reached)
            if passed:
                break
            skipped += re.findall(r"^    (\S+)$", said, re.M)
        else:
            raise SystemExit(f"the tests `{name}` fail without a mutant:\n{said[-2000:]}")
        known[name] = (time.monotonic() - began, sorted(set(skipped)), sorted({*map(int, reached.read_text().split())}))
        say(f"{name or 'lib'}: {known[name][0]:.1f} s, {len(known[name][2])} mutants met"
            f"{', without ' + ', '.join(skipped) if skipped else ''}")
    return known


def attempt(mutant, programs, known, tree):
    """What becomes of a mutant: `caught` or `timeout` with the tests that did it, or `missed`."""
    for name, program in programs.items():
        seconds, skipped, reached = known[name]
        if mutant["id"] not in reached or not mutant["file"].startswith(ABOUT.get(name, "")):
            continue
        passed, _ = run(program, name, tree, skipped, mutant["id"], seconds * PATIENCE + GRACE)
        if not passed:
            return mutant | {"fate": "timeout" if passed is None else "caught", "by": name or "lib"}
    return mutant | {"fate": "missed", "by": ""}


def report(results, modules):
    """The table by module, and what was missed."""
    lines = ["| module | mutants tried | caught | by the tests beside the code | never ended | missed | caught |",
             "|---|---|---|---|---|---|---|"]
    for name, files in [*modules.items(), ("all", sum(modules.values(), []))]:
        of = [result for result in results if result["file"] in files]
        count = {fate: sum(result["fate"] == fate for result in of) for fate in ("caught", "timeout", "missed")}
        beside = sum(result["by"] == "lib" and result["fate"] == "caught" for result in of)
        share = f"{(len(of) - count['missed']) / len(of):.0%}" if of else ""
        lines.append(f"| `{name}` | {len(of)} | {count['caught']} | {beside} | {count['timeout']} | {count['missed']} "
                     f"| {share} |")
    missed = [f"{result['file']}:{result['line']}: {result['what']}" for result in results
              if result["fate"] == "missed"]
    return "\n".join(lines + [""] + missed)


def made(work, files):
    """Plants and builds: the mutants, the test programs, and how long those take."""
    tree, plant, dropped = work / "tree", work / "plant/release/plant", work / "dropped"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["cargo", "build", "--release", "--manifest-path", HOME / "mutants/Cargo.toml"], check=True,
                   env=os.environ | {"CARGO_TARGET_DIR": str(work / "plant")})
    dropped.write_text("")
    while True:
        planted = prepare(tree, files, plant, dropped)
        bad = compiles(tree, work / "check")
        say(f"{len(planted)} mutants planted, {len(bad)} do not compile")
        if not bad:
            break
        with dropped.open("a") as out:
            out.write("".join(f"{id}\n" for id in sorted(bad)))
    programs = build(tree, work / "target")
    return planted, programs, baselines(programs, tree, work)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shard", default="0/1", metavar="K/N", help="every Nth mutant, from the Kth on [%(default)s]")
    parser.add_argument("--only", action="append", metavar="FILE", help="mutants of these files")
    parser.add_argument("--work", default=Path(tempfile.gettempdir()) / "ecr-rewrite-mutants", type=Path,
                        help="where the copy is built [%(default)s]")
    parser.add_argument("--minutes", type=float, default=10**6, help="begin no mutant after that time")
    parser.add_argument("--again", action="store_true", help="go on with the build of the last run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="mutants at a time [%(default)s]")
    wanted = parser.parse_args()
    wanted.work.mkdir(parents=True, exist_ok=True)
    built, out = wanted.work / "built.json", wanted.work / "results.jsonl"
    modules = sources()
    if not (wanted.again and built.exists()):
        out.unlink(missing_ok=True)
        built.write_text(json.dumps(made(wanted.work, sum(modules.values(), []))))
    planted, programs, known = json.loads(built.read_text())
    known = {name: (seconds, skipped, set(reached)) for name, (seconds, skipped, reached) in known.items()}
    tree = wanted.work / "tree"
    first, step = map(int, wanted.shard.split("/"))
    chosen = [mutant for mutant in planted if not wanted.only or mutant["file"] in wanted.only]
    random.Random(1).shuffle(chosen)
    chosen = chosen[first::step]
    results = []
    if out.exists():
        results = [json.loads(line) for line in out.read_text().splitlines()]
    done = {result["id"] for result in results}
    chosen = [mutant for mutant in chosen if mutant["id"] not in done]
    end = time.monotonic() + wanted.minutes * 60

    def one(mutant):
        return attempt(mutant, programs, known, tree) if time.monotonic() < end else None

    with ThreadPoolExecutor(wanted.jobs) as pool, out.open("a") as kept:
        for number, result in enumerate(pool.map(one, chosen), 1):
            if result is None:
                continue
            results.append(result)
            kept.write(json.dumps(result) + "\n")
            kept.flush()
            if result["fate"] == "missed" or number % 50 == 0:
                say(f"{number} of {len(chosen)}: {result['fate']}: {result['file']}:{result['line']}: {result['what']}")
    text = report(results, modules)
    (wanted.work / "report.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
