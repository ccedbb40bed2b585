"""Runs programs and says what they cost: wall time, processor time, peak memory.

Programs that are compared run in turn, round by round, so that a machine whose speed drifts drifts for all of
them. A round during which other programs kept the processors busy is run again; when there is no calm to be had,
the calmest rounds count and the result says how much was going on.
"""

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

# The share of the processors that others may take during a round that counts.
CALM = 0.10
# How many rounds more than asked for are tried for the sake of calm: this many times as many.
PATIENCE = 3
# Rounds that take longer than this, in seconds, are not run again.
LONG = 10.0


class RunError(Exception):
    """A program that did not do what it was started for."""


@dataclass
class Run:
    """What one run of a program cost."""

    wall: float  # seconds, start to exit
    cpu: float  # seconds of processor time, in the program and in the kernel for it
    peak: int  # KiB, of the largest of its processes


@dataclass
class Command:
    """A program as it is run."""

    name: str
    args: list
    cwd: str
    # The exit codes of a run that did its work.
    fine: tuple = (0,)
    env: dict = None
    # Where what it prints goes.
    stdout: str = os.devnull


def run(command):
    """Runs it once."""
    env = {**os.environ, **(command.env or {})}
    with open(command.stdout, "wb") as out, open(os.devnull, "rb") as nothing:
        started = time.perf_counter()
        try:
            process = subprocess.Popen(
                command.args, cwd=command.cwd, env=env,
                stdin=nothing, stdout=out, stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise RunError(f"{command.args[0]}: cannot be started: {error.strerror}") from error
        # The system's own account of the process and of those that it has waited for.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    if code not in command.fine:
        raise RunError(
            f"{command.name}: exit code {code}, where {command.fine} would do; by hand: "
            f"cd {command.cwd} && {' '.join(map(str, command.args))}"
        )
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)


def compare(commands, rounds, warm=True):
    """Runs the commands in turn. Gives a list of runs for each, and the largest share that others took."""
    if warm:
        for command in commands:
            run(command)
    kept, tried = [], 0
    while len([1 for share, _ in kept if share <= CALM]) < rounds and tried < rounds * (1 + PATIENCE):
        before, started = _busy(), time.perf_counter()
        one_round = [run(command) for command in commands]
        wall = time.perf_counter() - started
        own = sum(run.cpu for run in one_round)
        share = 0.0 if before is None else max(0.0, _busy() - before - own) / (wall * os.cpu_count())
        kept.append((share, one_round))
        tried += 1
        if wall > LONG and tried >= rounds:
            break
    kept.sort(key=lambda pair: pair[0])
    kept = kept[:rounds]
    runs = [[one_round[n] for _, one_round in kept] for n in range(len(commands))]
    return runs, kept[-1][0]


def _busy():
    """The seconds that all processors have worked since the machine started; nothing where it does not say."""
    try:
        with open("/proc/stat", encoding="ascii") as stat:
            fields = [int(field) for field in stat.readline().split()[1:]]
    except OSError:
        return None
    user, nice, system, _idle, _waiting, irq, softirq = fields[:7]
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def median(runs, what):
    """The median of one figure."""
    return statistics.median(getattr(run, what) for run in runs)


def ratio(ours, theirs, what="wall"):
    """The median of what a run of ours costs, measured in theirs, round by round."""
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(getattr(a, what) / max(getattr(b, what), 1e-6) for a, b in pairs)


def say(text):
    """Tells whoever waits."""
    print(text, file=sys.stderr, flush=True)
