#!/usr/bin/python3
"""Debian's python-socketio, unmodified, against the fixture socketio_support (row C01)."""
import asyncio
import os
import pathlib
import re
import subprocess
import unittest

import socketio

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FRAY_BUILD", ROOT / "build/release"))
TIMEOUT_S = 10


class Client:
    """A client whose events are awaited in order."""

    def __init__(self, transports, namespace="/"):
        self.sio = socketio.AsyncClient(reconnection=False)
        self.transports = transports
        self.namespace = namespace
        self.events = asyncio.Queue()
        self.sio.on("*", self.record, namespace=namespace)

    async def record(self, name, *args):
        await self.events.put((name, *args))

    async def connect(self, url, **options):
        await self.sio.connect(url, transports=self.transports, namespaces=[self.namespace],
                               **options)

    async def close(self):
        await self.sio.disconnect()
        if self.sio.eio.http:
            await self.sio.eio.http.close()

    async def emit(self, name, data=None):
        await self.sio.emit(name, data, namespace=self.namespace)

    async def call(self, name, data=None):
        return await self.sio.call(name, data, namespace=self.namespace, timeout=TIMEOUT_S)

    async def next(self):
        """The next event without the offset that connection state recovery appends."""
        name, *args = await asyncio.wait_for(self.events.get(), TIMEOUT_S)
        return (name, *args[:-1])


class Stock:
    """What must work over every transport."""
    transports = None

    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen(
            [BUILD / "tests/fixtures/socketio_support", "0", "--drain-timeout-ms", "0"],
            stdout=subprocess.PIPE, text=True)
        said = re.search(r"listening .*:(\d+)", cls.server.stdout.readline())
        cls.url = f"http://127.0.0.1:{said[1]}"

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        code = cls.server.wait(TIMEOUT_S)
        cls.server.stdout.close()
        if code:
            raise AssertionError(f"the server ended with {code}")

    async def connect(self, namespace="/", **options):
        client = Client(self.transports, namespace)
        self.addAsyncCleanup(client.close)
        await client.connect(self.url, **options)
        return client

    async def test_C01_connects(self):
        client = await self.connect()
        self.assertEqual(await client.call("getId"), client.sio.get_sid())

    async def test_C02_events_in_order(self):
        client = await self.connect()
        await client.emit("getUtf8")
        for text in ("てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"):
            self.assertEqual(await client.next(), ("takeUtf8", text))

    async def test_C02_binary(self):
        client = await self.connect()
        await client.emit("doge")
        self.assertEqual(await client.next(), ("doge", b"asdfasdf"))
        await client.emit("jsonbuff", {"hello": "lol", "message": b"\x00\xff", "goodbye": "gotcha"})
        self.assertEqual(await client.next(), ("jsonbuff-ack",))
        big = bytes(range(256)) * 300
        self.assertEqual(await client.call("echo", {"deep": [b"", big]}), {"deep": [b"", big]})

    async def test_C08_acknowledgements_both_ways(self):
        client = await self.connect()
        value = {"a": [1, None, "ü", 1.5, True]}
        self.assertEqual(await client.call("echo", value), value)

        async def answer():
            return 5, {"test": True}

        client.sio.on("ack", answer)
        await client.emit("ack")
        self.assertEqual(await client.next(), ("got it",))

    async def test_namespaces(self):
        client = await self.connect("/foo")
        self.assertEqual(await client.call("getId"), client.sio.get_sid("/foo"))

    async def test_handshake_tells_auth_and_headers(self):
        client = await self.connect("/abc", auth={"token": "t"}, headers={"X-Kind": "test"})
        name, handshake = await client.next()
        self.assertEqual((name, handshake["auth"]), ("handshake", {"token": "t"}))
        self.assertEqual(handshake["headers"]["x-kind"], "test")

    async def test_refusals(self):
        for namespace in ("/no", "/nowhere"):
            with self.assertRaises(socketio.exceptions.ConnectionError):
                await self.connect(namespace)


class OverPolling(Stock, unittest.IsolatedAsyncioTestCase):
    transports = ["polling"]


class OverWebsocket(Stock, unittest.IsolatedAsyncioTestCase):
    transports = ["websocket"]


class OverUpgrade(Stock, unittest.IsolatedAsyncioTestCase):
    transports = ["polling", "websocket"]


if __name__ == "__main__":
    unittest.main()
