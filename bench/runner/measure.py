"""Runs bench/load against servers in turns and keeps what it says."""
import re
import statistics
import subprocess
from dataclasses import dataclass

import servers
import workloads

LOAD_TIMEOUT_S = 150
LOAD = servers.in_build("bench/load/load")


@dataclass
class Figure:
    """All values of one key of an entry."""
    values: list

    @property
    def median(self):
        return statistics.median(self.values)

    def text(self, digits=3):
        low, high = min(self.values), max(self.values)
        return f"{short(self.median, digits)} [{short(low, digits)}..{short(high, digits)}]"


def short(value, digits=3):
    """Three significant digits, without an exponent: 1,234 and 1.23 and 0.0123."""
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


class Results(dict):
    """key of bench/load's line → Figure; of one entry in one workload."""

    def add(self, line):
        for key, value in re.findall(r"(\w+)=(-?[0-9.]+)(?= |$)", line):
            self.setdefault(key, Figure([])).values.append(float(value))


def run_once(entry, load):
    """One line of bench/load; "" when the server or the load generator failed."""
    arguments = []
    for name, value in {**load, **entry.load}.items():
        arguments += [f"--{name}", str(value)]
    server = servers.SERVERS[entry.server]
    try:
        with servers.running(server, entry.options) as (pid, port):
            done = subprocess.run(
                ["taskset", "-c", servers.GENERATOR_CORE, LOAD, "--port", str(port),
                 "--server-pid", str(pid), *arguments],
                capture_output=True, text=True, timeout=LOAD_TIMEOUT_S)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"  {label_of(entry)}: {error}", flush=True)
        return ""
    if done.returncode:
        print(f"  {label_of(entry)}: {done.stderr.strip()}", flush=True)
    return done.stdout.strip()


def label_of(entry):
    return entry.label or servers.SERVERS[entry.server].title


def measure(workload, repeat, shorten):
    """[(entry, Results)] in the workload's order; who failed every time has none."""
    load = {**workload.load, "seconds": workload.load["seconds"] * shorten}
    results = [(entry, Results()) for entry in workload.entries]
    for _ in range(repeat):
        for entry, figures in results:
            figures.add(run_once(entry, load))
    results = [(entry, figures) for entry, figures in results if workload.metric in figures]
    print(f"{workload.id}  {workload.title}  ({workload.unit})", flush=True)
    for entry, figures in results:
        latency = ""
        if "p99_us" in figures:
            latency = (f"  p50 {figures['p50_us'].median / 1000:.2f} ms"
                       f"  p99 {figures['p99_us'].median / 1000:.2f} ms"
                       f"  {figures['delivered_per_s'].median:,.0f}/s"
                       f"  generator {figures['generator_utilization'].median:.0%}")
        print(f"  {label_of(entry):24} {figures[workload.metric].text():26}{latency}", flush=True)
    return results


@dataclass
class Players:
    """How far one server came: the last N that held, and what it was like there."""
    entry: workloads.Entry
    most: int
    figures: dict  # N → Results


def measure_players(entry, repeat, shorten):
    found = Players(entry, 0, {})
    for count in workloads.PLAYERS:
        load = workloads.over("socketio", workloads.ARENA, clients=count, seconds=1.5 * shorten)
        figures = Results()
        for _ in range(repeat):
            figures.add(run_once(entry, load))
        if "p99_us" not in figures:
            break
        found.figures[count] = figures
        wanted = count * count * load["rate"]
        delivered = figures["delivered_per_s"].median / wanted
        p99_us = figures["p99_us"].median
        print(f"P2.players  {label_of(entry):24} {count:4}: p99 {p99_us / 1000:.1f} ms,"
              f" {delivered:.0%} delivered, {figures[workloads.CPU].text()} µs", flush=True)
        if p99_us >= workloads.PLAYERS_LATENCY_US or delivered < workloads.PLAYERS_DELIVERED:
            break
        found.most = count
    return found
