"""Whole processes, measured in turns, and the line that a number is printed as."""

import os
import statistics
import subprocess
import sys
import time


def process(command, stdin=None, env=None):
    """Wall time in ms and peak memory in MiB of a command that has to succeed."""
    begin = time.perf_counter()
    child = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"exit {child.returncode}: {' '.join(map(str, command))}")
    return (time.perf_counter() - begin) * 1000, usage.ru_maxrss / 1024


def in_turns(runs, *jobs):
    """Runs the jobs in turns; the median of each value of each job. The first turn only warms up."""
    turns = [[job() for job in jobs] for _ in range(runs + 1)][1:]
    return [[statistics.median(values) for values in zip(*(turn[n] for turn in turns))] for n in range(len(jobs))]


def line(name, ratio, sign, limit):
    """Prints a number; whether its limit is kept."""
    held = ratio >= limit if sign == ">=" else ratio <= limit
    print(f"{name:<82} {ratio:6.2f} {sign} {limit:.4g}  {'ok' if held else 'MISSED'}", flush=True)
    return held
