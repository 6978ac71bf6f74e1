"""docs/comparison.md: the figures of a whole run as a page."""
import datetime
import os
import platform
import textwrap

import servers
import workloads
from measure import label_of, short

COLUMNS = ("limit", "fray", "node", "python", "mosquitto")
COLUMN_OF = {"fray_game": "fray", "socketio": "node", "ws": "node"}
OWN_SECTIONS = ("P8", "P10")
LATENCY_IDS = ("P1.socketio", "P2.game", "P3.socketio", "P5.polling", "P5.websocket")
BUSY = 0.9  # of a core: there is nothing left of it
WAITED_PERCENT = 2  # of the time: others had the core
PLAYERS_OF_BYTES = (25, 60, 100, 200, 400)

INTRODUCTION = """# Comparison

What a message, a handshake and an idle connection cost fray and its peers. `bench/run` measures all
of this and writes this page; nothing here is typed by hand. bench/README.md says how it is done.

Server on one core, load generator on another, loopback, events of about 100 bytes. Figures are
medians [least..greatest] of {repeat} runs, in which the servers took turns. CPU is that of all
threads of the server, in user space and kernel, by the kernel's accounting. "Raw epoll" is
bench/limit: a WebSocket sender that does nothing else.

| | |
|---|---|
{facts}
"""

COSTS = """
## Costs

"Node" is socket.io where the client speaks Socket.IO, and ws where it speaks plain WebSocket. The
raw sender speaks plain WebSocket whatever the others speak. fray ÷ raw epoll is how far fray is
from the least possible; best peer ÷ fray is how many times as much the best of the others costs.

{table}
"""

PLAYERS = """
## How many players

The tutorial's game: each player moves 20 times a second, and each move goes to all. The most
players with whom 99 % of what arrives does so within {limit_ms} ms, and {delivered:.0%} of what is
due arrives; a number counts when one of {attempts} attempts does it.

{table}

A flush interval of {flush_ms} ms (`room_flush_interval_ms`) gathers what goes to a client meanwhile
in one write.
"""

BYTES = """
## Bytes

In the tutorial's way of speaking, every move is an event of its own for every player, as JSON. What
a player receives thus grows with the number of players, and what the server sends with its square:

{table}
"""

LATENCY = """
## Latency

From one client's send to another's receipt, at the loads above, medians of the runs. On a machine
that others use, p99 mostly tells what else was running.

{table}
"""

POLLING = """
## WebSocket and long polling

The same broadcast, 200 Socket.IO clients and 10 events a second, over either transport:

{table}

{text}
"""


ARENA = """
## A game that the server decides

The arena of games/arena: 200 bots on 2,000 × 2,000 px, 30 ticks and 20 frames a second, 15 packets
of inputs a second from each. CPU is all that the server does for the game, by the frames that the
clients got. An update is a player who has changed since the client's frame before.

{table}

Colyseus (bench/peers/node/colyseus.mjs) encodes what has changed once and sends that to everybody;
fray encodes for each viewer what that one may see, since the one before that it has confirmed. To
see 400 px far is how the arena is played by so many; with a sight as wide as the map fray, too,
tells all of all. fray's places are exact to 1/256 px where Colyseus' are whole, its map has
obstacles, its hits are judged where the attacker saw the victim, and a replay is written. The bots
are the same, but what they meet with differs, and so does how many of them move: compare the bytes
by the update. The raw sender's frames are as long as fray's at 400 px; it knows of no game.
"""

DUELS = """
## How many duels

Two clients each, 60 ticks and 20 snapshots a second, one core for all of them. A number of duels
counts when, in one of {attempts} attempts, {taken:.0%} of the ticks are taken, and 99% of these
begin within {late_ms} ms of when they were due.

{table}

{text}
"""

WORKERS = """
## Two workers

The same broadcast by one worker and by two, the server on {server_cores}, the generator on
{generator_cores}. One generator cannot ask for all that two workers can do, so what came through is
its rate. What is compared bounds the server itself: the messages by the second of CPU time of its
busiest thread, which is what it would deliver in a second in which that thread never waited. At 40
messages a second there is nothing to gather and each costs a write; saturated, several leave in one
write, and more of them the longer a worker waits for its core.

{table}
"""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def processor():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def facts(load_before):
    rows = [
        ("date", datetime.date.today().isoformat()),
        ("machine", f"{processor()}, {os.cpu_count()} cores, Linux {platform.release()}"),
        ("load average before", f"{load_before:.2f} (0 is a quiet machine)"),
    ]
    seen = dict.fromkeys(server.version() for server in servers.SERVERS.values())
    rows += [("version", version) for version in seen if "bench/limit" not in version]
    return "\n".join(f"| {name} | {value} |" for name, value in rows)


def by_column(results):
    """Column → Figure of the workload's metric."""
    return {COLUMN_OF.get(entry.server, entry.server): figure for entry, figure in results}


def ratio(numerator, denominator):
    return short(numerator / denominator) if denominator > 0 else ""


def cost_rows(measured):
    for workload, results in measured:
        if workloads.group_of(workload.id) in OWN_SECTIONS:
            continue
        figures = by_column((entry, found[workload.metric]) for entry, found in results)
        medians = {name: figure.median for name, figure in figures.items()}
        peers = [medians[name] for name in COLUMNS[2:] if name in medians]
        fray, limit = medians.get("fray", 0), medians.get("limit", 0)
        yield (workload.id, workload.title, workload.unit,
               *(figures[name].text() if name in figures else "" for name in COLUMNS),
               ratio(fray, limit), ratio(min(peers), fray) if peers else "")


def costs(measured):
    head = ("", "workload", "unit", "raw epoll", "fray", "Node", "python-socketio", "mosquitto",
            "fray ÷ raw epoll", "best peer ÷ fray")
    return COSTS.format(table=table(head, cost_rows(measured)))


def ms(figure):
    return f"{figure.median / 1000:.1f}"


def latency(measured):
    rows = [(workload.id, workload.title, label_of(entry), ms(found["p50_us"]), ms(found["p99_us"]))
            for workload, results in measured if workload.id in LATENCY_IDS
            for entry, found in results]
    return LATENCY.format(table=table(("", "workload", "server", "p50, ms", "p99, ms"), rows))


def players(found):
    if not found:
        return ""
    rows = []
    for one in found:
        at_most = one.figures.get(one.most)
        last = max(workloads.PLAYERS.counts) == one.most
        rows.append((label_of(one.entry), f"{'≥ ' if last else ''}{one.most}",
                     ms(at_most["p99_us"]) if at_most else "",
                     short(at_most[workloads.CPU].median) if at_most else ""))
    return PLAYERS.format(
        limit_ms=workloads.PLAYERS_LATENCY_US // 1000, delivered=workloads.PLAYERS_DELIVERED,
        attempts=workloads.PLAYERS.attempts, flush_ms=workloads.FLUSH_MS,
        table=table(("server", "most players", "p99 there, ms", "µs per event there"), rows))


def message_bytes(found):
    """From the runs of fray's game without a flush interval."""
    runs = next(({count: runs for count, runs in one.figures.items() if count <= one.most}
                 for one in found
                 if one.entry.server == "fray_game" and not one.entry.options), {})
    rows = [(str(count), f"{runs[count]['bytes_per_message'].median:.0f}",
             f"{runs[count]['bytes_per_client_per_s'].median / 1000:,.0f}",
             f"{runs[count]['bytes_per_client_per_s'].median * count / 1e6:,.1f}")
            for count in PLAYERS_OF_BYTES if count in runs]
    head = ("players", "bytes of a move, received", "kB/s that a player receives",
            "MB/s that the server sends")
    return BYTES.format(table=table(head, rows)) if rows else ""


def polling_rows(polling, websocket, storms):
    for name, runs, storm in (("long polling", polling, storms["P6.polling"]),
                              ("WebSocket", websocket, storms["P6.socketio"])):
        for server, found in runs.items():
            handshake = storm.get(server, {}).get(workloads.HANDSHAKE)
            yield (name, servers.SERVERS[server].title, found[workloads.CPU].text(),
                   f"{found['bytes_per_message'].median:.0f}",
                   f"{found['request_bytes_per_message'].median:.0f}",
                   f"{ms(found['p50_us'])} / {ms(found['p99_us'])}",
                   handshake.text() if handshake else "")


def polling_text(polling, websocket):
    def median(runs, server, key):
        return runs[server][key].median

    def wire(runs):
        return sum(median(runs, "fray", key)
                   for key in ("bytes_per_message", "request_bytes_per_message"))
    text = (
        "Long polling answers a waiting GET with what has come up, and the client asks again: each"
        " event that nothing else waits with costs a request and a response. Here that is"
        f" {wire(polling):.0f} bytes an event on the wire, against {wire(websocket):.0f} over"
        " WebSocket, whose frame adds two to four; browsers' headers make it several hundred more."
        f" It costs fray {median(polling, 'fray', workloads.CPU):.1f} µs of CPU an event against"
        f" {median(websocket, 'fray', workloads.CPU):.1f}")
    if "socketio" in polling and "socketio" in websocket:
        text += (f", Node's socket.io {median(polling, 'socketio', workloads.CPU):.0f} against"
                 f" {median(websocket, 'socketio', workloads.CPU):.0f}")
    return text + (
        ". An event that comes up while the client asks again waits for that round trip, so over a"
        " real network its latency is one to two round trips where WebSocket's is half of one; on"
        " loopback the difference is small. Use WebSocket, and polling where a proxy or firewall"
        " leaves nothing else: it works everywhere, and Socket.IO clients begin with it and"
        " upgrade.")


def transports(measured):
    runs = {workload.id: {entry.server: found for entry, found in results}
            for workload, results in measured}
    polling, websocket = runs.get("P5.polling", {}), runs.get("P5.websocket", {})
    if "fray" not in polling or "fray" not in websocket:
        return ""
    storms = {name: runs.get(name, {}) for name in ("P6.polling", "P6.socketio")}
    head = ("transport", "server", "CPU µs per event", "bytes received per event",
            "bytes asked with per event", "latency p50 / p99, ms", "CPU µs per handshake")
    return POLLING.format(table=table(head, polling_rows(polling, websocket, storms)),
                          text=textwrap.fill(polling_text(polling, websocket), 100))


def value(found, key, form="{:,.3g}"):
    return form.format(found[key].median) if key in found else ""


def arena(measured):
    results = next((results for workload, results in measured if workload.id == "P8.arena"), [])
    rows = [(label_of(entry), found[workloads.FRAME_CPU].text(), value(found, "bytes_per_frame"),
             value(found, "rows_per_frame"), value(found, "bytes_per_row"),
             value(found, "generator_utilization", "{:.0%}"))
            for entry, found in results]
    head = ("server", "µs per frame", "bytes per frame", "updates per frame", "bytes per update",
            "generator's core")
    return ARENA.format(table=table(head, rows)) if rows else ""


def duels_rows(reached):
    for count, found in reached.figures.items():
        yield (f"{count:,}" if count <= reached.most else f"{count:,}: too late",
               value(found, "tick_late_ms_p50_below"), value(found, "tick_late_ms_p99_below"),
               value(found, "ticks_dropped", "{:,.0f}"), value(found, "cpu_percent", "{:.0f}%"),
               value(found, "waited_percent", "{:.0f}%"),
               value(found, "generator_utilization", "{:.0%}"))


def why_no_more(medians):
    """What stood in the way, by the figures of the count that did not hold."""
    if medians["generator_utilization"] > BUSY:
        return "The generator was the limit: its core was full."
    if medians["waited_percent"] > WAITED_PERCENT:
        return ("Other programs on the machine are likely the cause of that: the server could have"
                f" run, but waited for its core {medians['waited_percent']:.0f} % of the time.")
    if medians["cpu_percent"] > 100 * BUSY:
        return "The server was the limit: its core was full."
    return ("Neither core was full, nor did the server wait for its own: the machine itself was"
            " paused, or shares its cores with others.")


def duels(climbed):
    reached = next((one for one in climbed if one.figures), None)
    if not reached:
        return ""
    text = f"Held: {reached.most:,}."
    if reached.most == max(workloads.DUELS.counts):
        text += " A server has no more matches than that."
    else:
        text += f" {why_no_more(list(reached.figures.values())[-1].medians())}"
    head = ("duels", "ticks late, ms: half below", "99% below", "ticks left out", "server's core",
            "server waited for it", "generator's core")
    return DUELS.format(late_ms=workloads.DUELS_LATE_MS, taken=workloads.DUELS_TAKEN,
                        attempts=workloads.DUELS.attempts,
                        table=table(head, duels_rows(reached)), text=textwrap.fill(text, 100))


def workers_rows(measured):
    for workload, results in measured:
        if workloads.group_of(workload.id) == "P10" and len(results) == 2:
            one, two = (found[workloads.CAPACITY] for _, found in results)
            yield (workload.title, one.text(), two.text(), ratio(two.median, one.median),
                   *(f"{value(found, 'delivered_per_s', '{:,.0f}')},"
                     f" {value(found, 'generator_utilization', '{:.0%}')}"
                     for _, found in results))


def cores_text(cores):
    return f"cores {cores.replace(',', ' and ')}" if "," in cores else f"core {cores}"


def workers(measured):
    rows = list(workers_rows(measured))
    head = ("workload", "one worker, messages/s", "two workers, messages/s", "two ÷ one",
            "came through with one; generator's core", "with two")
    return WORKERS.format(
        server_cores=cores_text(servers.WORKERS_CORES),
        generator_cores=cores_text(servers.GENERATOR_CORE),
        table=table(head, rows)) if rows else ""


def page(measured, climbed, repeat, load_before):
    found_players = climbed.get("P2.players", [])
    return (INTRODUCTION.format(repeat=repeat, facts=facts(load_before)) + costs(measured)
            + players(found_players) + message_bytes(found_players) + arena(measured)
            + duels(climbed.get("P9.duels", [])) + workers(measured) + transports(measured)
            + latency(measured))
