"""The workloads: what is sent, to whom, and which servers are compared at it."""
from dataclasses import dataclass, field

import servers


@dataclass(frozen=True)
class Entry:
    """A server in a workload, with what differs from the workload's load for it."""
    server: str
    options: tuple = ()  # of the server's command line
    load: dict = field(default_factory=dict)
    label: str = ""  # where a server is measured twice
    generator: str = "load"
    keys: dict = field(default_factory=dict)  # of its line, that are called otherwise elsewhere
    cores: str = servers.SERVER_CORE


@dataclass(frozen=True)
class Workload:
    id: str
    title: str
    metric: str  # of the generator's line; what is compared
    unit: str
    load: dict  # of the generator's command line; a tuple is an option given several times
    entries: tuple


@dataclass(frozen=True)
class Climb:
    """How many clients a server holds: the count is raised as long as it does so in one of a few
    attempts. What disturbs a server from outside makes it worse, never better."""
    id: str
    title: str
    counts: tuple
    attempts: int
    load_of: callable  # count → load
    holds: callable  # (count, medians by key) → bool
    entries: tuple


def group_of(identifier):
    return identifier.split(".")[0]


def entries(*names):
    return tuple(Entry(name) if isinstance(name, str) else name for name in names)


FLUSH_MS = 20
LIMIT = Entry("limit", load={"protocol": "websocket"})
LIMIT_MOVES = Entry("limit", load={"protocol": "websocket", "size": 96})
LIMIT_MOVES_FLUSH = Entry("limit", (str(FLUSH_MS),), LIMIT_MOVES.load)
FRAY_FLUSH = Entry("fray_game", ("--room-flush-interval-ms", str(FLUSH_MS)))
NODE_GAME, PYTHON_GAME = Entry("socketio", ("--game",)), Entry("python", ("--game",))
PYTHON_FEW = Entry("python", load={"clients": 900})  # select(2) ends at 1,024 descriptors

CPU, HANDSHAKE, MEMORY = "cpu_us_per_message", "cpu_us_per_handshake", "rss_per_connection"

BROADCAST = {"workload": "broadcast", "clients": 500, "rate": 40, "seconds": 1.5}
SATURATED = {"workload": "broadcast", "clients": 1000, "window": 2, "seconds": 1.2}
BURST = {"workload": "broadcast", "clients": 1000, "rate": 200, "burst": 8, "size": 62,
         "seconds": 1}
ARENA = {"workload": "arena", "clients": 200, "rate": 20, "seconds": 1.5}
ECHO = {"workload": "echo", "clients": 100, "size": 93, "seconds": 1}
IDLE = {"workload": "idle", "clients": 5000, "seconds": 0.2, "concurrency": 256}
POLLING = {"workload": "broadcast", "clients": 200, "rate": 10, "seconds": 2}
STORM = {"workload": "storm", "clients": 2000, "seconds": 3}
FAN_OUT = {"workload": "broadcast", "protocol": "mqtt", "clients": 1000, "rate": 20,
           "seconds": 1.5}
PAIRS = {"workload": "pairs", "protocol": "mqtt", "clients": 100, "window": 1, "seconds": 1}

# P8: the arena of games/arena on its map for 200, where players see 400 px far. Colyseus tells all
# of all, so fray is measured with a sight as wide as the map, too. Each player sends 15 packets of
# inputs a second. The least possible is to send as many bytes as fray's frames have with the
# shorter sight, and beside that, to read as many packets.
FRAME_CPU = "cpu_us_per_frame"
FRAMES = {"protocol": "websocket", "workload": "broadcast", "rate": 20, "size": 105,
          "warmup-seconds": 3}
FRAMES_KEYS = {CPU: FRAME_CPU, "bytes_per_message": "bytes_per_frame"}
RAW_FRAMES = Entry("limit", load=FRAMES, label="raw epoll, sends alone", keys=FRAMES_KEYS)
RAW_GAME = Entry("limit", load={**FRAMES, "input-rate": 15}, label="raw epoll with inputs",
                 keys=FRAMES_KEYS)
COLYSEUS = Entry("colyseus", generator="colyseus_clients", label="Colyseus, all see all")


def fray_arena(sight):
    options = ("width=2000", "height=2000", "spawn=0", "obstacles=32", f"sight={sight}")
    return Entry("fray_games", load={"game": "arena", "option": options}, generator="play",
                 label="fray, all see all" if sight == 2000 else f"fray, sight {sight} px")


# P10: on two cores; where there are no more, the generator has one of them, too. So not what comes
# through is compared, but what would if the busiest thread never waited for a core.
CAPACITY = "capacity_per_s"


def workers(count):
    return Entry("fray", ("--workers", str(count)), label=f"fray, {count} worker{'s'[:count - 1]}",
                 cores=servers.WORKERS_CORES)


def over(protocol, load, **changes):
    return {"protocol": protocol, **load, **changes}


WORKLOADS = (
    Workload("P1.socketio", "broadcast to 500, 40/s, Socket.IO", CPU, "µs",
             over("socketio", BROADCAST), entries(LIMIT, "fray", "socketio", "python")),
    Workload("P1.websocket", "broadcast to 500, 40/s, plain WebSocket", CPU, "µs",
             over("websocket", BROADCAST), entries(LIMIT, "fray", "ws")),
    Workload("P1s.socketio", "broadcast to 1,000, saturated, Socket.IO", CPU, "µs",
             over("socketio", SATURATED), entries(LIMIT, "fray", "socketio", PYTHON_FEW)),
    Workload("P1s.websocket", "broadcast to 1,000, saturated, plain WebSocket", CPU, "µs",
             over("websocket", SATURATED), entries(LIMIT, "fray", "ws")),
    Workload("P1b.socketio", "8 messages at once to 1,000, Socket.IO", CPU, "µs",
             over("socketio", BURST), entries(LIMIT, "fray", "socketio")),
    Workload("P1b.websocket", "8 messages at once to 1,000, plain WebSocket", CPU, "µs",
             over("websocket", BURST), entries(LIMIT, "fray", "ws")),
    Workload("P2.game", "the tutorial's game, 200 players, 20 moves/s each", CPU, "µs",
             over("socketio", ARENA), entries(LIMIT_MOVES, "fray_game", NODE_GAME, PYTHON_GAME)),
    Workload("P2.flush", f"the tutorial's game, sent every {FLUSH_MS} ms", CPU, "µs",
             over("socketio", ARENA), entries(LIMIT_MOVES_FLUSH, FRAY_FLUSH)),
    Workload("P3.socketio", "acknowledged events, 100 clients, Socket.IO", CPU, "µs",
             over("socketio", ECHO), entries(LIMIT, "fray", "socketio", "python")),
    Workload("P3.websocket", "echo, 100 clients, plain WebSocket", CPU, "µs",
             over("websocket", ECHO), entries(LIMIT, "fray", "ws")),
    Workload("P4.socketio", "memory of an idle Socket.IO client", MEMORY, "B",
             over("socketio", IDLE), entries(LIMIT, "fray", "socketio", PYTHON_FEW)),
    Workload("P4.websocket", "memory of an idle plain WebSocket", MEMORY, "B",
             over("websocket", IDLE), entries(LIMIT, "fray", "ws")),
    Workload("P4.mqtt", "memory of an idle MQTT client", MEMORY, "B",
             over("mqtt", IDLE), entries("fray", "mosquitto")),
    Workload("P5.polling", "broadcast to 200, 10/s, long polling", CPU, "µs",
             over("polling", POLLING), entries("fray", "socketio", "python")),
    Workload("P5.websocket", "broadcast to 200, 10/s, WebSocket", CPU, "µs",
             over("socketio", POLLING), entries("fray", "socketio", "python")),
    Workload("P6.websocket", "handshakes, plain WebSocket", HANDSHAKE, "µs",
             over("websocket", STORM), entries(LIMIT, "fray", "ws")),
    Workload("P6.socketio", "handshakes, Socket.IO over WebSocket", HANDSHAKE, "µs",
             over("socketio", STORM), entries(LIMIT, "fray", "socketio", "python")),
    Workload("P6.polling", "handshakes, Socket.IO over polling", HANDSHAKE, "µs",
             over("polling", STORM), entries("fray", "socketio", "python")),
    Workload("P7.qos0", "MQTT, one to 1,000, 20/s, QoS 0", CPU, "µs", FAN_OUT,
             entries(LIMIT, "fray", "mosquitto")),
    Workload("P7.qos1", "MQTT, one to 1,000, 20/s, QoS 1", CPU, "µs", {**FAN_OUT, "qos": 1},
             entries("fray", "mosquitto")),
    Workload("P7.pairs0", "MQTT, 100 pairs, QoS 0", CPU, "µs", PAIRS, entries("fray", "mosquitto")),
    Workload("P7.pairs1", "MQTT, 100 pairs, QoS 1", CPU, "µs", {**PAIRS, "qos": 1},
             entries("fray", "mosquitto")),
    Workload("P8.arena", "the arena that the server decides, 200 players, 20 frames/s", FRAME_CPU,
             "µs", {"clients": 200, "seconds": 4},
             (RAW_FRAMES, RAW_GAME, fray_arena(400), fray_arena(2000), COLYSEUS)),
    Workload("P10.paced", "broadcast to 500, 40/s, by 1 and 2 workers", CAPACITY, "/s",
             over("websocket", BROADCAST), (workers(1), workers(2))),
    Workload("P10.saturated", "broadcast to 1,000, saturated, by 1 and 2 workers", CAPACITY, "/s",
             over("websocket", SATURATED), (workers(1), workers(2))),
)


# How many players the tutorial's game holds: the p99 of a move's way to all is below the limit, and
# nearly all moves arrive.
PLAYERS_LATENCY_US = 50000
PLAYERS_DELIVERED = 0.95


def players_hold(count, figures):
    wanted_per_s = count * count * ARENA["rate"]
    return (figures["p99_us"] < PLAYERS_LATENCY_US
            and figures["delivered_per_s"] > PLAYERS_DELIVERED * wanted_per_s)


# How many duels of two clients, with 60 ticks and 20 snapshots a second, one core holds: nearly all
# ticks are taken, and begin when they are due. 1,000 is the most matches that a server has.
DUELS_TICK_HZ = 60
DUELS_LATE_MS = 5
DUELS_TAKEN = 0.99


def duels_load(count):
    return {"game": "duel", "clients": 2 * count, "per-match": 2, "seconds": 4}


def duels_hold(count, figures):
    return (figures["tick_late_ms_p99_below"] <= DUELS_LATE_MS
            and figures["ticks_per_s"] > DUELS_TAKEN * count * DUELS_TICK_HZ)


PLAYERS = Climb(
    "P2.players", "players of the tutorial's game",
    (25, 40, 60, 80, 100, 150, 200, 250, 300, 400, 500, 600, 700), 5,
    lambda count: over("socketio", ARENA, clients=count), players_hold,
    (
        PYTHON_GAME,
        NODE_GAME,
        Entry("fray_game"),
        Entry("fray_game", FRAY_FLUSH.options, label=f"fray, {FLUSH_MS} ms flush"),
        Entry("limit", LIMIT_MOVES_FLUSH.options, LIMIT_MOVES.load,
              label=f"raw epoll, {FLUSH_MS} ms flush"),
    ))
DUELS = Climb("P9.duels", "duels on one core", (100, 250, 500, 750, 1000), 3, duels_load,
              duels_hold, (Entry("fray_games", generator="play"),))
CLIMBS = (PLAYERS, DUELS)
