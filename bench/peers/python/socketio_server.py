#!/usr/bin/python3
"""socketio_server.py PORT [--game]: what bench/load asks of every Socket.IO server (join, msg,
echo), and the tutorial's game, on python-socketio and eventlet as the tutorial has it. Without
--game nobody is told of who comes and goes, so that handshakes and idle clients cost what they cost
by themselves."""
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


def connect(sid, environ):
    players[sid] = {"x": random.randint(0, 100), "y": random.randint(0, 100), "hp": 100}
    sio.emit("new_player", {"id": sid, "position": players[sid]}, skip_sid=sid)


def disconnect(sid):
    if players.pop(sid, None):
        sio.emit("player_left", {"id": sid})


def move(sid, data):
    players[sid]["x"] = data["x"]
    players[sid]["y"] = data["y"]
    sio.emit("player_moved", {"id": sid, "position": players[sid]})


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


def join(sid, room):
    sio.enter_room(sid, room)
    return True


def msg(sid, text):
    sio.emit("msg", text, room="r")


def echo(sid, text):
    return text


GAME = (connect, disconnect, move, attack)
SERVICE = (join, msg, echo)

if __name__ == "__main__":
    for handler in GAME if "--game" in sys.argv else SERVICE:
        sio.on(handler.__name__, handler)
    listener = eventlet.listen(("127.0.0.1", int(sys.argv[1])), backlog=4096)
    eventlet.wsgi.server(listener, socketio.WSGIApp(sio), log_output=False)
