#!/usr/bin/python3
"""socketio_server.py PORT: the tutorial's game on python-socketio and eventlet, as the tutorial has
it, and what bench/load asks of every server: join, msg, echo."""
import math
import random
import sys

import eventlet
import eventlet.wsgi
import socketio

REACH = 10
DAMAGE = 10

sio = socketio.Server(cors_allowed_origins="*")
players = {}


@sio.event
def connect(sid, environ):
    players[sid] = {"x": random.randint(0, 100), "y": random.randint(0, 100), "hp": 100}
    sio.emit("new_player", {"id": sid, "position": players[sid]}, skip_sid=sid)


@sio.event
def disconnect(sid):
    if players.pop(sid, None):
        sio.emit("player_left", {"id": sid})


@sio.event
def move(sid, data):
    players[sid]["x"] = data["x"]
    players[sid]["y"] = data["y"]
    sio.emit("player_moved", {"id": sid, "position": players[sid]})


@sio.event
def attack(sid, data):
    attacker = players[sid]
    for target, player in list(players.items()):
        distance = math.hypot(attacker["x"] - player["x"], attacker["y"] - player["y"])
        if target == sid or distance > REACH:
            continue
        player["hp"] -= DAMAGE
        if player["hp"] <= 0:
            sio.emit("player_killed", {"id": target})
        sio.emit("player_attacked", {"id": target, "hp": player["hp"]})


@sio.event
def join(sid, room):
    sio.enter_room(sid, room)
    return True


@sio.event
def msg(sid, text):
    sio.emit("msg", text, room="r")


@sio.event
def echo(sid, text):
    return text


if __name__ == "__main__":
    listener = eventlet.listen(("127.0.0.1", int(sys.argv[1])), backlog=4096)
    eventlet.wsgi.server(listener, socketio.WSGIApp(sio), log_output=False)
