"""The programs that ecr-rewrite is measured against, and how each is had.

`rg` has to be installed. ruamel.yaml and Renovate are installed by name, in the versions below, into a cache of
the user; nothing is fetched when they are there.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from timing import Command, say

RUAMEL = "0.18.16"
# The last line of versions that Node 20 runs.
RENOVATE = "39.264.1"
# What a search has to look for to find images at all.
WORDS = "image|registry|repository"
# The files that ecr-rewrite reads.
GLOBS = ["*.yaml", "*.yml", "*.json", "*.tpl", "*.gotmpl", "*.tmpl", "*.j2", "Kustomization"]
# Renovate names no files of its own for Kubernetes and Argo CD.
MANIFESTS = [r"\.ya?ml$"]
RENOVATE_CONFIG = {
    "enabledManagers": ["kubernetes", "helm-values", "kustomize", "argocd", "flux", "helmfile"],
    "kubernetes": {"fileMatch": MANIFESTS},
    "argocd": {"fileMatch": MANIFESTS},
    "onboarding": False,
    "requireConfig": "optional",
}


class Missing(Exception):
    """A program that is not there and could not be installed, and what to do."""


def cache():
    """The folder in which programs are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "ecr-rewrite-benches"


def ripgrep(tree):
    """`rg -c` over the files that ecr-rewrite reads."""
    program = shutil.which("rg")
    if not program:
        raise Missing("there is no `rg` on the PATH; install ripgrep (Debian: `apt-get install ripgrep`)")
    globs = [part for glob in GLOBS for part in ("--glob", glob)]
    # Exit code 2 says that a file could not be read, which does not stop it.
    return Command("rg -c", [program, "-c", *globs, WORDS], str(tree), fine=(0, 1, 2))


def ruamel(tree):
    """The script beside this one, with the ruamel.yaml of the version above."""
    folder = cache() / f"ruamel.yaml-{RUAMEL}"
    python = folder / "bin" / "python"
    if not _answers([python, "-c", "import ruamel.yaml"]):
        say(f"installing ruamel.yaml {RUAMEL} into {folder}")
        _install([sys.executable, "-m", "venv", folder], "ruamel.yaml")
        _install([python, "-m", "pip", "install", "--quiet", f"ruamel.yaml=={RUAMEL}", "ruamel.yaml.clib"],
                 "ruamel.yaml")
    script = Path(__file__).with_name("ruamel_extract.py")
    return Command("ruamel.yaml", [python, script, str(tree)], str(tree))


def renovate(tree, work):
    """Renovate's extraction of `tree`, which becomes a git repository for it. `work` takes what it writes."""
    folder = cache() / f"renovate-{RENOVATE}"
    program = folder / "node_modules" / ".bin" / "renovate"
    if not _answers([program, "--version"]):
        say(f"installing renovate {RENOVATE} into {folder}: a minute or two")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n')
        # Scripts of packages would compile parts that extraction does not need.
        _install(["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund",
                  f"renovate@{RENOVATE}"], "renovate")
        if not _answers([program, "--version"]):
            raise Missing(f"{program}: does not answer; this machine's Node may be too old for it")
    _as_repository(tree)
    work.mkdir(parents=True, exist_ok=True)
    config = work / "renovate.json"
    config.write_text(json.dumps(RENOVATE_CONFIG))
    env = {
        "RENOVATE_CONFIG_FILE": str(config),
        "RENOVATE_BASE_DIR": str(work / "renovate"),
        "LOG_LEVEL": "info",
    }
    args = [program, "--platform=local", "--dry-run=extract"]
    return Command("Renovate", args, str(tree), env=env)


def _as_repository(tree):
    """Commits all files of `tree`, which is a copy, for itself."""
    if (tree / ".git" / "HEAD").exists():
        return
    git = ["git", "-C", str(tree), "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for step in (["init", "--quiet"], ["add", "--all", "--force"], ["commit", "--quiet", "--message=files"]):
        _install([*git, *step], "git")


def _answers(args):
    try:
        return subprocess.run(args, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _install(args, name):
    try:
        done = subprocess.run(args, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Missing(f"{name}: `{args[0]}` cannot be started: {error.strerror}") from error
    if done.returncode != 0:
        command = " ".join(map(str, args))
        raise Missing(f"{name}: `{command}` failed: {done.stderr.strip()[-400:]}")
