"""Who is measured: how each server is started, stopped, and what version it is; and by whom."""
import contextlib
import json
import os
import platform
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODE_PEERS = os.path.join(ROOT, "bench/peers/node")
CORES = os.cpu_count()
SERVER_CORE = "0"
WORKERS_CORES = "0,1" if CORES > 1 else "0"  # of a server with two workers
GENERATOR_CORE = str(min(CORES, 3) - 1)
START_TIMEOUT_S = 15


def in_build(path):
    return os.path.join(ROOT, "build/release", path)


def first_line(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip().split("\n")[0]


def debian_version(package):
    return first_line("dpkg-query", "-W", "-f", "${Version}", package)


def npm_version(package):
    with open(os.path.join(NODE_PEERS, "node_modules", package, "package.json")) as file:
        return json.load(file)["version"]


def node_version(package):
    return f"{package} {npm_version(package)} on Node {first_line('node', '--version')}"


def fray_version():
    return "fray " + first_line("git", "-C", ROOT, "describe", "--always", "--tags")


@dataclass(frozen=True)
class Server:
    title: str
    command: tuple  # {port}, {folder} (an empty one) and {config} are filled in
    version: callable
    config: str = ""  # text of a file that the command names as {config}


def mosquitto_config():
    with open(os.path.join(ROOT, "bench/peers/mosquitto.conf")) as file:
        return file.read() + "listener {port} 127.0.0.1\n"


# Each takes --port, --server-pid, --seconds and what a workload's load has, and prints key=value.
GENERATORS = {
    "load": (in_build("bench/load/load"),),
    "play": (in_build("bench/play/play"),),
    "colyseus_clients": ("node", f"{NODE_PEERS}/colyseus_clients.mjs"),
}

SERVERS = {
    "fray": Server("fray", (in_build("tests/fixtures/bench_server"), "{port}"), fray_version),
    "fray_game": Server(
        "fray",
        (in_build("examples/arena_tutorial"), "--listen", "127.0.0.1:{port}", "--workers", "1",
         "--log-level", "warn"), fray_version),
    "fray_games": Server(
        "fray", (in_build("fray"), "--listen", "127.0.0.1:{port}", "--workers", "1",
                 "--data", "{folder}", "--log-level", "warn"), fray_version),
    "limit": Server("raw epoll", (in_build("bench/limit/limit"), "{port}"),
                    lambda: "bench/limit of the same commit"),
    "socketio": Server("Node socket.io", ("node", f"{NODE_PEERS}/socketio.mjs", "{port}"),
                       lambda: node_version("socket.io")),
    "ws": Server("Node ws", ("node", f"{NODE_PEERS}/websocket.mjs", "{port}"),
                 lambda: node_version("ws")),
    "colyseus": Server("Colyseus", ("node", f"{NODE_PEERS}/colyseus.mjs", "{port}"),
                       lambda: f"{node_version('@colyseus/core')} with @colyseus/schema "
                               f"{npm_version('@colyseus/schema')}"),
    "python": Server(
        "python-socketio",
        ("/usr/bin/python3", os.path.join(ROOT, "bench/peers/python/socketio_server.py"), "{port}"),
        lambda: f"python-socketio {debian_version('python3-socketio')}, eventlet "
                f"{debian_version('python3-eventlet')} on Python {platform.python_version()}"),
    "mosquitto": Server("mosquitto", ("mosquitto", "-c", "{config}"),
                        lambda: f"mosquitto {debian_version('mosquitto')}", mosquitto_config()),
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_listening(process, port):
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            time.sleep(0.3)  # the probe's end is digested, too
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args[3]} does not listen on port {port}")


@contextlib.contextmanager
def running(server, options=(), cores=SERVER_CORE):
    """Runs the server on its core, Node's as in production; gives (pid, port) and stops it by its
    pid."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "config")
        with open(config, "w") as file:
            file.write(server.config.format(port=port))
        command = [word.format(port=port, folder=folder, config=config) for word in server.command]
        process = subprocess.Popen(["taskset", "-c", cores, *command, *options],
                                   env={**os.environ, "NODE_ENV": "production"},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until_listening(process, port)
            yield process.pid, port
        finally:
            process.send_signal(signal.SIGKILL)  # nobody is to say goodbye to its clients
            process.wait()
