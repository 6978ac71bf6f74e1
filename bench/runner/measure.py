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
    """One line of bench/load; "" when its figures mean nothing, which is said."""
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
        return ""
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


def holds(figures, wanted_per_s):
    return (figures["p99_us"].median < workloads.PLAYERS_LATENCY_US
            and figures["delivered_per_s"].median > workloads.PLAYERS_DELIVERED * wanted_per_s)


def measure_players(entry, shorten):
    """A number of players holds when one of a few attempts does: what disturbs a server from
    outside makes it worse, never better."""
    found = Players(entry, 0, {})
    for count in workloads.PLAYERS:
        load = workloads.over("socketio", workloads.ARENA, clients=count, seconds=1.5 * shorten)
        for _ in range(workloads.PLAYERS_ATTEMPTS):
            figures = Results()
            figures.add(run_once(entry, load))
            if "p99_us" not in figures:
                continue
            held = holds(figures, count * count * load["rate"])
            print(f"P2.players  {label_of(entry):24} {count:4}:"
                  f" p99 {figures['p99_us'].median / 1000:.1f} ms,"
                  f" {figures['delivered_per_s'].median:,.0f}/s,"
                  f" {figures[workloads.CPU].median:.3g} µs {'' if held else 'too late'}",
                  flush=True)
            if held:
                found.most = count
                found.figures[count] = figures
                break
        if found.most != count:
            break
    return found
