#!/usr/bin/python3
"""Debian's paho-mqtt and mosquitto's clients, unmodified, against the fray program."""
import os
import pathlib
import queue
import re
import resource
import signal
import subprocess
import tempfile
import unittest

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FRAY_BUILD", ROOT / "build/release"))
TIMEOUT_S = 10
VERSIONS = {"mqttv31": paho.MQTTv31, "mqttv311": paho.MQTTv311, "mqttv5": paho.MQTTv5}


class Server:
    def __init__(self, *options, data=None, file_max=resource.RLIM_INFINITY):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_max, resource.RLIM_INFINITY))

        self.data = data or tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [BUILD / "fray", "--listen", "127.0.0.1:0", "--data", self.data.name, *options],
            stderr=subprocess.PIPE, text=True, preexec_fn=limit)
        for line in self.process.stderr:
            said = re.search(r"listening address=127.0.0.1:(\d+)", line)
            if said:
                self.port = int(said[1])
                return
        raise RuntimeError("the server did not start")

    def stop(self):
        self.process.terminate()
        code = self.process.wait(TIMEOUT_S)
        self.process.stderr.close()
        assert code == 0, code


def will_properties(delay_s):
    properties = Properties(PacketTypes.WILLMESSAGE)
    properties.WillDelayInterval = delay_s
    return properties


class Client:
    """A paho client; what it hears comes out of next()."""

    def __init__(self, test, server, version=paho.MQTTv5, transport="tcp", name="", will=None,
                 expiry=None, user=None):
        options = {} if version == paho.MQTTv5 else {"clean_session": expiry is None}
        self.mqtt = paho.Client(client_id=name, protocol=version, transport=transport, **options)
        self.heard, self.done = queue.Queue(), queue.Queue()
        if transport == "websockets":
            self.mqtt.ws_set_options("/mqtt")
        if will:
            self.mqtt.will_set(**will)
        if user:
            self.mqtt.username_pw_set(*user)
        self.mqtt.on_message = lambda _, __, message: self.heard.put(message)
        self.mqtt.on_subscribe = lambda *args: self.done.put(args[3])
        self.mqtt.on_connect = lambda *args: self.done.put(args[3])
        extra = {}
        if version == paho.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = expiry or 0
            extra = {"clean_start": expiry is None, "properties": properties}
        self.mqtt.connect("127.0.0.1", server.port, **extra)
        self.mqtt.loop_start()
        self.connack = self.done.get(timeout=TIMEOUT_S)
        self.is_open = True
        test.addCleanup(self.close)

    def close(self):
        if self.is_open:
            self.is_open = False
            self.mqtt.disconnect()
            self.mqtt.loop_stop()

    def cut(self):
        """Ends the connection without DISCONNECT."""
        self.is_open = False
        self.mqtt.loop_stop()
        self.mqtt.socket().close()

    def subscribe(self, *args, **kwargs):
        self.mqtt.subscribe(*args, **kwargs)
        return self.done.get(timeout=TIMEOUT_S)

    def publish(self, *args, **kwargs):
        self.mqtt.publish(*args, **kwargs).wait_for_publish(TIMEOUT_S)

    def next(self):
        return self.heard.get(timeout=TIMEOUT_S)


class Paho(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def each(self):
        for version in VERSIONS.values():
            for transport in ("tcp", "websockets"):
                with self.subTest(version=version, transport=transport):
                    yield version, transport

    def test_every_qos(self):
        for version, transport in self.each():
            client = Client(self, self.server, version, transport, name=f"p{version}{transport}")
            client.subscribe("paho/#", 2)
            for qos in range(3):
                client.publish(f"paho/{version}", f"at {qos}", qos)
                got = client.next()
                self.assertEqual((got.payload, got.qos), (b"at %d" % qos, qos))
            client.close()

    def test_retained_is_set_replaced_and_cleared(self):
        for version, transport in self.each():
            writer = Client(self, self.server, version, transport, name="writer")
            for payload in ("first", "second"):
                writer.publish("kept/a", payload, 1, retain=True)
            reader = Client(self, self.server, version, transport, name="reader")
            reader.subscribe("kept/+", 1)
            got = reader.next()
            self.assertEqual((got.payload, got.retain), (b"second", True))
            writer.publish("kept/a", "", 1, retain=True)
            self.assertEqual(reader.next().payload, b"")
            reader.close()
            reader = Client(self, self.server, version, transport, name="reader")
            reader.subscribe("kept/+", 1)
            writer.publish("kept/b", "fresh", 1)
            self.assertEqual(reader.next().payload, b"fresh")
            writer.close()
            reader.close()

    def test_will_of_a_lost_client(self):
        for version, transport in self.each():
            watcher = Client(self, self.server, version, transport, name="watcher")
            watcher.subscribe("will/#", 1)
            will = {"topic": "will/lost", "payload": "lost", "qos": 1}
            Client(self, self.server, version, transport, name="lost", will=will).cut()
            self.assertEqual(watcher.next().payload, b"lost")
            left = Client(self, self.server, version, transport, name="left", will=will)
            left.close()
            watcher.publish("will/none", "none", 1)
            self.assertEqual(watcher.next().payload, b"none")
            watcher.close()

    def test_will_delay_is_cancelled_by_coming_back(self):
        watcher = Client(self, self.server, name="watcher")
        watcher.subscribe("delayed/#", 1)
        will = {"topic": "delayed/w", "payload": "late", "qos": 1,
                "properties": will_properties(60)}
        Client(self, self.server, name="delayed", will=will, expiry=100).cut()
        back = Client(self, self.server, name="delayed", expiry=100)
        self.assertEqual(back.connack.value, 0)
        watcher.publish("delayed/end", "end", 1)
        self.assertEqual(watcher.next().payload, b"end")

    def test_queued_while_away(self):
        for version, transport in self.each():
            name = f"away{version}{transport}"
            away = Client(self, self.server, version, transport, name=name, expiry=100)
            away.subscribe("queue/#", 2)
            away.close()
            writer = Client(self, self.server, version, transport, name="writer")
            for i in range(20):
                writer.publish("queue/q", f"{i}", 1 + i % 2)
            away = Client(self, self.server, version, transport, name=name, expiry=100)
            self.assertEqual({away.next().payload for _ in range(20)},
                             {b"%d" % i for i in range(20)})
            away.mqtt.unsubscribe("queue/#")
            away.close()
            writer.close()

    def test_subscription_options(self):
        client = Client(self, self.server, name="options")
        client.subscribe("opt/local", options=SubscribeOptions(qos=1, noLocal=True))
        client.subscribe("opt/kept", options=SubscribeOptions(qos=1, retainAsPublished=True))
        client.publish("opt/local", "own", 1)
        client.publish("opt/kept", "flag", 1, retain=True)
        got = client.next()
        self.assertEqual((got.payload, got.retain), (b"flag", True))
        client.subscribe("opt/kept", options=SubscribeOptions(qos=1, retainHandling=1))
        client.subscribe("opt/+", options=SubscribeOptions(qos=1, retainHandling=2))
        client.publish("opt/other", "end", 1)
        self.assertEqual(client.next().payload, b"end")
        client.publish("opt/kept", "", 1, retain=True)

    def test_server_keep_alive_and_limits_are_told(self):
        client = Client(self, self.server, name="told")
        client.close()
        client.mqtt.on_connect = lambda *args: client.done.put(args[4])
        client.mqtt.connect("127.0.0.1", self.server.port, keepalive=600)
        client.mqtt.loop_start()
        client.is_open = True
        told = client.done.get(timeout=TIMEOUT_S)
        self.assertEqual(told.ServerKeepAlive, 60)
        self.assertEqual(told.ReceiveMaximum, 1000)
        self.assertEqual(told.MaximumPacketSize, 1048576)


class Mosquitto(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def run_client(self, program, *args, **kwargs):
        return subprocess.run([program, "-p", str(self.server.port), *args], check=True,
                              capture_output=True, timeout=TIMEOUT_S, text=True, **kwargs).stdout

    def test_pub_and_sub(self):
        for version in VERSIONS:
            for qos in "012":
                with self.subTest(version=version, qos=qos):
                    self.run_client("mosquitto_pub", "-V", version, "-t", "m/r", "-q", qos, "-m",
                                    f"{version} {qos}", "-r")
                    got = self.run_client("mosquitto_sub", "-V", version, "-t", "m/+", "-q", qos,
                                          "-C", "1", "-v")
                    self.assertEqual(got, f"m/r {version} {qos}\n")

    def test_rr(self):
        for version in ("mqttv311", "mqttv5"):
            with self.subTest(version=version):
                answerer = Client(self, self.server, name="answerer")

                def answer(_, __, message):
                    properties = Properties(PacketTypes.PUBLISH)
                    data = getattr(message.properties, "CorrelationData", None)
                    if data:
                        properties.CorrelationData = data
                    topic = getattr(message.properties, "ResponseTopic", "rr/answer")
                    answerer.mqtt.publish(topic, b"42", 1, properties=properties)

                answerer.mqtt.on_message = answer
                answerer.subscribe("rr/ask", 1)
                got = self.run_client("mosquitto_rr", "-V", version, "-t", "rr/ask", "-e",
                                      "rr/answer", "-m", "?", "-q", "1")
                self.assertEqual(got, "42\n")
                answerer.close()


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.TemporaryDirectory()
        users, rules = (pathlib.Path(cls.files.name, name) for name in ("users", "rules"))
        users.write_text("".join(
            subprocess.run([BUILD / "fray", "passwd", name], input=f"{name}'s secret\n",
                           capture_output=True, text=True, check=True).stdout
            for name in ("ann", "bob")))
        rules.write_text("pattern readwrite home/%u/#\nuser ann\ntopic read news\n")
        cls.server = Server("--no-mqtt-anonymous", "--mqtt-password-file", users,
                            "--mqtt-acl-file", rules)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.files.cleanup()

    def verdict(self, version, user):
        client = Client(self, self.server, version, name="who", user=user)
        client.close()
        return client.connack if isinstance(client.connack, int) else client.connack.value

    def test_passwords(self):
        for version, bad, anonymous in ((paho.MQTTv311, 4, 5), (paho.MQTTv5, 0x86, 0x87)):
            with self.subTest(version=version):
                self.assertEqual(self.verdict(version, ("ann", "ann's secret")), 0)
                self.assertEqual(self.verdict(version, ("ann", "bob's secret")), bad)
                self.assertEqual(self.verdict(version, ("eve", "secret")), bad)
                self.assertEqual(self.verdict(version, None), anonymous)

    def test_topics(self):
        ann = Client(self, self.server, name="ann", user=("ann", "ann's secret"))
        bob = Client(self, self.server, name="bob", user=("bob", "bob's secret"))
        old = Client(self, self.server, paho.MQTTv311, name="old", user=("bob", "bob's secret"))
        self.assertEqual([code.value for code in ann.subscribe([
            (topic, SubscribeOptions(1)) for topic in ("home/ann/#", "home/bob/x", "news", "#")])],
            [1, 0x87, 1, 0x87])
        self.assertEqual(list(old.subscribe([("home/bob/#", 1), ("news", 1)])), [1, 0x80])
        bob.publish("home/ann/lamp", "from bob", 1)
        bob.publish("news", "from bob", 1)
        ann.publish("home/ann/lamp", "own", 1)
        self.assertEqual(ann.next().payload, b"own")


class FullDisk(unittest.TestCase):
    """A limit on the size of files does what a full disk does."""

    def publish(self, server, topic, payload):
        done = subprocess.run(["mosquitto_pub", "-p", str(server.port), "-V", "mqttv5", "-q", "1",
                               "-t", topic, "-m", payload], capture_output=True, timeout=TIMEOUT_S)
        return done.returncode == 0 and not done.stderr

    def test_nothing_acknowledged_is_lost(self):
        server = Server(file_max=300_000)
        keeper = Client(self, server, name="keeper", expiry=900)
        keeper.subscribe("full/#", 1)
        keeper.close()
        acknowledged = [i for i in range(8) if self.publish(server, f"full/{i}", "x" * 60_000)]
        self.assertTrue(0 < len(acknowledged) < 8)
        live = Client(self, server, name="live")
        live.subscribe("live")
        live.publish("live", "what need not be kept goes on")
        live.next()
        live.close()
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
        while not self.publish(server, "full/again", "y"):
            pass
        server.process.kill()
        server.process.wait()
        server.process.stderr.close()
        server = Server(data=server.data)
        keeper = Client(self, server, name="keeper", expiry=900)
        missing = {f"full/{i}" for i in acknowledged} | {"full/again"}
        while missing:
            missing.discard(keeper.next().topic)
        keeper.close()
        server.stop()


if __name__ == "__main__":
    unittest.main()
