"""Runs generators against servers in turns and keeps what they say."""
import re
import statistics
import subprocess
from dataclasses import dataclass

import servers
import workloads

GENERATOR_TIMEOUT_S = 150

# What is said of an entry beside the workload's metric, where its generator tells it.
DETAILS = (
    ("p50_us", 1e-3, "p50 {:.2f} ms"),
    ("p99_us", 1e-3, "p99 {:.2f} ms"),
    ("delivered_per_s", 1, "{:,.0f}/s"),
    (workloads.CPU, 1, "{:.3g} µs"),
    (workloads.FRAME_CPU, 1, "{:.3g} µs a frame"),
    ("bytes_per_frame", 1, "{:.0f} B"),
    ("rows_per_frame", 1, "{:.0f} players"),
    ("bytes_per_row", 1, "{:.2f} B each"),
    ("tick_late_ms_p50_below", 1, "ticks late p50 < {:g} ms"),
    ("tick_late_ms_p99_below", 1, "p99 < {:g} ms"),
    ("ticks_dropped", 1, "{:.0f} dropped"),
    ("cpu_percent", 1, "server {:.0f}%"),
    ("waited_percent", 1, "waited {:.0f}%"),
    ("generator_utilization", 100, "generator {:.0f}%"),
)


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
    """key of a generator's line → Figure; of one entry in one workload."""

    def add(self, line, keys):
        for key, value in re.findall(r"(\w+)=(-?[0-9.]+)(?=\s|$)", line):
            self.setdefault(keys.get(key, key), Figure([])).values.append(float(value))

    def medians(self):
        return {key: figure.median for key, figure in self.items()}

    def details(self, without=None):
        return "  ".join(text.format(self[key].median * factor)
                         for key, factor, text in DETAILS if key in self and key != without)


def arguments_of(load):
    for name, value in load.items():
        for one in value if isinstance(value, tuple) else (value,):
            yield from (f"--{name}", str(one))


def run_once(entry, load):
    """One line of the generator; "" when its figures mean nothing, which is said."""
    server = servers.SERVERS[entry.server]
    try:
        with servers.running(server, entry.options, entry.cores) as (pid, port):
            done = subprocess.run(
                ["taskset", "-c", servers.GENERATOR_CORE, *servers.GENERATORS[entry.generator],
                 "--port", str(port), "--server-pid", str(pid),
                 *arguments_of({**load, **entry.load})],
                capture_output=True, text=True, timeout=GENERATOR_TIMEOUT_S)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"  {label_of(entry)}: {error}", flush=True)
        return ""
    if done.returncode:
        print(f"  {label_of(entry)}: {done.stderr.strip()}", flush=True)
        return ""
    return done.stdout.strip()


def label_of(entry):
    return entry.label or servers.SERVERS[entry.server].title


def shortened(load, shorten):
    return {**load, "seconds": load["seconds"] * shorten}


def measure(workload, repeat, shorten):
    """[(entry, Results)] in the workload's order; who failed every time has none."""
    load = shortened(workload.load, shorten)
    results = [(entry, Results()) for entry in workload.entries]
    for _ in range(repeat):
        for entry, figures in results:
            figures.add(run_once(entry, load), entry.keys)
    results = [(entry, figures) for entry, figures in results if workload.metric in figures]
    print(f"{workload.id}  {workload.title}  ({workload.unit})", flush=True)
    for entry, figures in results:
        print(f"  {label_of(entry):24} {figures[workload.metric].text():26}"
              f"  {figures.details(without=workload.metric)}", flush=True)
    return results


@dataclass
class Reached:
    """How far one server came in a Climb: the last count that held, and what it was like there and
    before, and at the one that did not hold."""
    entry: workloads.Entry
    most: int
    figures: dict  # count → Results


def climb(workload, entry, shorten):
    reached = Reached(entry, 0, {})
    for count in workload.counts:
        load = shortened(workload.load_of(count), shorten)
        for _ in range(workload.attempts):
            figures = Results()
            figures.add(run_once(entry, load), entry.keys)
            if not figures:
                continue
            held = workload.holds(count, figures.medians())
            reached.figures[count] = figures
            print(f"{workload.id}  {label_of(entry):24} {count:4}: {figures.details()}"
                  f" {'' if held else ' too late'}", flush=True)
            if held:
                reached.most = count
                break
        if reached.most != count:
            break
    return reached
