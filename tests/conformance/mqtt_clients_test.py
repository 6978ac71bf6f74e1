#!/usr/bin/python3
"""Debian's paho-mqtt and mosquitto's clients, unmodified, against the fray program."""
import base64
import hmac
import json
import os
import pathlib
import queue
import re
import resource
import signal
import socket
import ssl
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
    def __init__(self, *options, data=None, file_max=resource.RLIM_INFINITY, ports=1):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_max, resource.RLIM_INFINITY))

        self.data = data or tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [BUILD / "fray", "--listen", "127.0.0.1:0", "--data", self.data.name, *options],
            stderr=subprocess.PIPE, text=True, preexec_fn=limit)
        self.ports = {}
        for line in self.process.stderr:
            said = re.search(r"listening address=127.0.0.1:(\d+) .*port=(\w+)", line)
            if said:
                self.ports[said[2]] = int(said[1])
            if len(self.ports) == ports:
                self.port = self.ports["common"]
                return
        raise RuntimeError("the server did not start")

    def stop(self):
        self.process.terminate()
        code = self.process.wait(TIMEOUT_S)
        self.process.stderr.close()
        assert code == 0, code


def field(data):
    return len(data).to_bytes(2, "big") + data


def packet_of(first, body):
    size, length = len(body), b""
    while size >= 128:
        length += bytes([size % 128 | 128])
        size //= 128
    return bytes([first]) + length + bytes([size]) + body


def connect_packet(name, version, expiry_s=0, user=b"", password=b""):
    properties = b"\x05\x11" + expiry_s.to_bytes(4, "big") if version == 5 else b""
    flags = 2 * (expiry_s == 0) + (0xc0 if user else 0)
    return packet_of(0x10, field(b"MQTT") + bytes([version, flags, 0, 60]) + properties +
                     field(name) + (field(user) + field(password) if user else b""))


def publish_packet(packet_id, topic, payload):
    """QoS 1 of MQTT 5."""
    return packet_of(0x32, field(topic) + packet_id.to_bytes(2, "big") + b"\x00" + payload)


class RawClient:
    """Bytes and packets: for what a library would hide."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.send = self.socket.sendall

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                break
            data += more
        return data

    def packet(self):
        """A packet of less than 130 bytes; nothing: the server has closed."""
        head = self.read(2)
        return head + self.read(head[1]) if head else b""


def will_properties(delay_s):
    properties = Properties(PacketTypes.WILLMESSAGE)
    properties.WillDelayInterval = delay_s
    return properties


class Client:
    """A paho client; what it hears comes out of next()."""

    def __init__(self, test, server, version=paho.MQTTv5, transport="tcp", name="", will=None,
                 expiry=None, user=None, tls_port=None):
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
        self.mqtt.on_connect = self.on_connect
        extra = {}
        if version == paho.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = expiry or 0
            extra = {"clean_start": expiry is None, "properties": properties}
        if tls_port:
            self.mqtt.tls_set(cert_reqs=ssl.CERT_NONE)
            self.mqtt.tls_insecure_set(True)
        self.mqtt.connect("127.0.0.1", tls_port or server.port, **extra)
        self.mqtt.loop_start()
        self.connack = self.done.get(timeout=TIMEOUT_S)
        self.is_open = True
        test.addCleanup(self.close)

    def on_connect(self, _client, _userdata, _flags, connack, properties=None):
        self.connack_properties = properties
        self.done.put(connack)

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


class OwnPorts(unittest.TestCase):
    """Ports for MQTT alone, with and without TLS, whose certificate nobody has signed."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server("--mqtt-listen", "127.0.0.1:0", "--mqtts-listen", "127.0.0.1:0",
                            "--tls-self-signed", ports=3)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_mosquitto(self):
        with tempfile.TemporaryDirectory() as directory:
            certificate = pathlib.Path(directory, "server.pem")
            certificate.write_text(ssl.get_server_certificate(
                ("127.0.0.1", self.server.ports["mqtts"])))
            tls = ["--cafile", certificate, "--insecure"]
            for port, options in (("mqtt", []), ("mqtts", tls)):
                for version in VERSIONS:
                    with self.subTest(port=port, version=version):
                        common = ["-p", str(self.server.ports[port]), "-V", version, "-t",
                                  f"own/{port}", "-q", "1", *options]
                        subprocess.run(["mosquitto_pub", *common, "-r", "-m", version],
                                       check=True, timeout=TIMEOUT_S)
                        got = subprocess.run(["mosquitto_sub", *common, "-C", "1"], check=True,
                                             capture_output=True, timeout=TIMEOUT_S, text=True)
                        self.assertEqual(got.stdout, f"{version}\n")

    def test_paho(self):
        for version in VERSIONS.values():
            with self.subTest(version=version):
                client = Client(self, self.server, version, name="own",
                                tls_port=self.server.ports["mqtts"])
                client.subscribe("own/paho", 2)
                for qos in range(3):
                    client.publish("own/paho", "x" * 40_000, qos)
                    got = client.next()
                    self.assertEqual((len(got.payload), got.qos), (40_000, qos))
                client.close()

    def test_each_port_speaks_what_it_says(self):
        with RawClient(self.server.ports["mqtts"]) as raw:  # no TLS there
            raw.send(connect_packet(b"plain", 5))
            self.assertNotEqual(raw.packet()[:1], b"\x20")
        with RawClient(self.server.ports["mqtt"]) as raw:  # no HTTP there
            raw.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertNotEqual(raw.read(4), b"HTTP")


class ManyRetained(unittest.TestCase):
    """More retained messages than a client's outbox (4096) or queue holds."""

    COUNT = 5000

    @classmethod
    def setUpClass(cls):
        cls.server = Server("--mqtt-max-queued-messages", "100", "--mqtt-max-inflight", "20")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.writer = Client(self, self.server, name="writer")
        for qos in (0, 1):
            for i in range(self.COUNT - 1):
                self.writer.mqtt.publish(f"many/{qos}/{i}", "first", qos, retain=True)
            self.writer.publish(f"many/{qos}/last", "first", 1, retain=True)

    def test_a_new_subscription_gets_them_all(self):
        for kind in (0, 1):
            for qos in range(3):
                with self.subTest(kind=kind, qos=qos):
                    reader = Client(self, self.server, name="reader")
                    reader.subscribe(f"many/{kind}/#", qos)
                    topics = {reader.next().topic for _ in range(self.COUNT)}
                    self.assertEqual(len(topics), self.COUNT)
                    reader.close()

    def test_none_comes_behind_a_newer_one(self):
        reader = Client(self, self.server, name="reader")
        reader.subscribe("many/1/#", 1)
        for i in range(self.COUNT - 1):
            self.writer.mqtt.publish(f"many/1/{i}", "second", 1, retain=True)
        self.writer.publish("many/1/last", "second", 1, retain=True)
        latest = {}
        while len(latest) < self.COUNT:
            got = reader.next()
            if latest.get(got.topic) == b"second":
                self.assertEqual(got.payload, b"second", got.topic)
            latest[got.topic] = got.payload

    def test_who_leaves_in_between_finds_as_many_as_its_queue_holds(self):
        with RawClient(self.server.port) as raw:  # acknowledges nothing
            raw.send(connect_packet(b"leaves", 5, expiry_s=100))
            raw.packet()
            raw.send(packet_of(0x82, b"\x00\x01\x00" + field(b"many/1/#") + b"\x01"))
            raw.packet()
        back = Client(self, self.server, name="leaves", expiry=100)
        self.assertEqual(len({back.next().topic for _ in range(120)}), 120)


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

    def test_who_went_away_keeps_nobody_waiting(self):
        for _ in range(3):  # more than a hundred passwords would take longer than the timeout
            crowd = [RawClient(self.server.port) for _ in range(80)]
            for raw in crowd:
                raw.send(connect_packet(b"", 5, user=b"ann", password=b"wrong"))
            for raw in crowd:
                raw.socket.close()
        self.assertEqual(self.verdict(paho.MQTTv5, ("bob", "bob's secret")), 0)

    def test_who_comes_back_is_known(self):
        self.assertEqual(self.verdict(paho.MQTTv5, ("ann", "ann's secret")), 0)
        crowd = [RawClient(self.server.port) for _ in range(300)]  # all at once
        for i, raw in enumerate(crowd):
            raw.send(connect_packet(b"%d" % i, 5, user=b"ann", password=b"ann's secret"))
        for raw in crowd:
            with raw:
                self.assertEqual(raw.packet()[3], 0)
        self.assertEqual(self.verdict(paho.MQTTv5, ("ann", "ann's secret ")), 0x86)

    def test_topics(self):
        ann = Client(self, self.server, name="ann", user=("ann", "ann's secret"))
        bob = Client(self, self.server, name="bob", user=("bob", "bob's secret"))
        old = Client(self, self.server, paho.MQTTv311, name="old", user=("bob", "bob's secret"))
        self.assertEqual([code.value for code in ann.subscribe([
            (topic, SubscribeOptions(1)) for topic in ("home/ann/#", "home/bob/x", "news")])],
            [1, 0x87, 1])
        self.assertEqual(list(old.subscribe([("home/bob/#", 1), ("news", 1)])), [1, 0x80])
        bob.publish("home/ann/lamp", "from bob", 1)
        bob.publish("news", "from bob", 1)
        ann.publish("home/ann/lamp", "own", 1)
        self.assertEqual(ann.next().payload, b"own")


    def test_of_a_filter_allowed_in_part_the_rest_is_not_heard(self):
        bob = Client(self, self.server, name="bob", user=("bob", "bob's secret"))
        bob.publish("home/bob/kept", "bob's", 1, retain=True)
        for version in VERSIONS.values():
            for qos in range(3):
                with self.subTest(version=version, qos=qos):
                    ann = Client(self, self.server, version, name="ann",
                                 user=("ann", "ann's secret"))
                    ann.subscribe([("#", SubscribeOptions(qos))] if version == paho.MQTTv5 else
                                  [("#", qos)])
                    bob.publish("home/bob/lamp", "bob's", qos)
                    ann.publish("home/ann/lamp", "own", qos)
                    self.assertEqual(ann.next().payload, b"own")
                    ann.close()

    def test_a_shared_filter_is_allowed_as_a_whole(self):
        ann = Client(self, self.server, name="ann", user=("ann", "ann's secret"))
        self.assertEqual([code.value for code in ann.subscribe([
            (topic, SubscribeOptions(1)) for topic in ("$share/g/#", "$share/g/home/ann/#")])],
            [0x87, 1])


class ChangedRules(unittest.TestCase):
    def test_a_session_that_comes_back_is_judged_anew(self):
        data = tempfile.TemporaryDirectory()
        self.addCleanup(data.cleanup)
        with tempfile.NamedTemporaryFile("w") as rules:
            rules.write("topic #\n")
            rules.flush()
            server = self.serve(rules, data)
            lasting = Client(self, server, name="lasting", expiry=900)
            for topic in ("secret/#", "open/#"):
                lasting.subscribe(topic, 1)
            lasting.close()
            writer = Client(self, server, name="writer")
            for topic in ("secret/a", "open/a"):
                writer.publish(topic, "queued", 1)
            writer.close()
            server.stop()
            rules.write("topic deny secret/#\n")
            rules.flush()
            server = self.serve(rules, data)
            lasting = Client(self, server, name="lasting", expiry=900)
            self.assertEqual(lasting.next().topic, "open/a")
            lasting.publish("open/a", "end", 1)
            self.assertEqual(lasting.next().payload, b"end")
            lasting.close()
            server.stop()

    def serve(self, rules, data):
        server = Server("--mqtt-acl-file", rules.name, data=data)
        self.addCleanup(server.process.stderr.close)
        self.addCleanup(server.process.kill)
        return server


class Tokens(unittest.TestCase):
    """B31: with auth = jwt the password is a token, and the user name its sub."""

    SECRET = "a secret of at least thirty-two bytes"

    @classmethod
    def setUpClass(cls):
        cls.rules = tempfile.NamedTemporaryFile("w")
        cls.rules.write("pattern readwrite home/%u/#\n")
        cls.rules.flush()
        cls.server = Server("--auth", "jwt", "--jwt-secret", cls.SECRET, "--no-mqtt-anonymous",
                            "--mqtt-acl-file", cls.rules.name)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.rules.close()

    def token(self, claims, secret=SECRET, algorithm="HS256"):
        def encode(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        signed = b".".join(encode(json.dumps(part).encode())
                           for part in ({"alg": algorithm, "typ": "JWT"}, claims))
        signature = hmac.digest(secret.encode(), signed, "sha256") if algorithm != "none" else b""
        return (signed + b"." + encode(signature)).decode()

    def verdict(self, version, user):
        client = Client(self, self.server, version, name="who", user=user)
        client.close()
        return client.connack if isinstance(client.connack, int) else client.connack.value

    def test_B31_who_may_connect(self):
        good = {"sub": "ann", "exp": 4_000_000_000}
        other = "another secret of thirty-two bytes"
        for user, why in (
                (("ann", self.token(good)), None),
                (("bob", self.token(good)), "The user name is not the token's subject (sub)."),
                (("ann", self.token({**good, "exp": 1})), "The token has expired."),
                (("ann", self.token({**good, "nbf": 4_000_000_000})),
                 "The token is not valid yet."),
                (("ann", self.token(good, secret=other)), "The token's signature is wrong."),
                (("ann", self.token(good, algorithm="none")),
                 "The token's algorithm is not allowed."),
                (("ann", self.token({"exp": 4_000_000_000})),
                 "The user name is not the token's subject (sub)."),
                (("ann", "no token"), "The token is malformed."),
                (("ann", None), "A token is needed."),
                (None, "A token is needed.")):
            with self.subTest(user=user):
                self.assertEqual(self.verdict(paho.MQTTv311, user), 5 if why else 0)
                client = Client(self, self.server, name="who", user=user)
                client.close()
                self.assertEqual(client.connack.value, 0x87 if why else 0)
                if why:
                    self.assertEqual(client.connack_properties.ReasonString, why)

    def test_rules_know_the_name(self):
        ann = Client(self, self.server, name="ann", user=("ann", self.token({"sub": "ann"})))
        self.assertEqual([code.value for code in ann.subscribe([
            (topic, SubscribeOptions(1)) for topic in ("home/ann/#", "home/bob/#")])], [1, 0x87])
        ann.publish("home/ann/lamp", "on", 1)
        self.assertEqual(ann.next().payload, b"on")


class UncheckedNames(unittest.TestCase):
    def test_a_name_that_nobody_checked_opens_nothing(self):
        with tempfile.NamedTemporaryFile("w") as rules:
            rules.write("topic readwrite open\nuser ann\ntopic readwrite hers\n")
            rules.flush()
            server = Server("--mqtt-acl-file", rules.name)
            self.addCleanup(server.process.kill)
            client = Client(self, server, name="eve", user=("ann", "whatever"))
            self.assertEqual([code.value for code in client.subscribe(
                [("open", SubscribeOptions(1)), ("hers", SubscribeOptions(1))])], [1, 0x87])
            client.close()
            server.stop()


class FullDisk(unittest.TestCase):
    """A limit on the size of files does what a full disk does."""

    def publish(self, server, topic, payload):
        done = subprocess.run(["mosquitto_pub", "-p", str(server.port), "-V", "mqttv5", "-q", "1",
                               "-t", topic, "-m", payload], capture_output=True, timeout=TIMEOUT_S)
        return done.returncode == 0 and not done.stderr

    def serve(self, **options):
        server = Server(**options)
        self.addCleanup(server.process.kill)
        return server

    def give_room(self, server):
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        while not self.publish(server, "full/again", "y"):
            pass

    def kill(self, server):
        server.process.kill()
        server.process.wait()
        server.process.stderr.close()

    def fill(self, server):
        """The numbers that were acknowledged before the disk was full."""
        acknowledged = [i for i in range(8) if self.publish(server, f"full/{i}", "x" * 60_000)]
        self.assertTrue(0 < len(acknowledged) < 8)
        return {f"full/{i}" for i in acknowledged}

    def keeper(self, server):
        return Client(self, server, name="keeper", expiry=900)

    def subscribed(self, server):
        keeper = self.keeper(server)
        keeper.subscribe("full/#", 1)
        keeper.close()

    def take_all(self, server, missing):
        keeper = self.keeper(server)
        while missing:
            missing.discard(keeper.next().topic)
        keeper.close()

    def test_nothing_acknowledged_is_lost(self):
        server = self.serve(file_max=300_000)
        self.subscribed(server)
        missing = self.fill(server)
        live = Client(self, server, name="live")
        live.subscribe("live")
        live.publish("live", "what need not be kept goes on", retain=True)
        live.next()
        live.close()
        self.give_room(server)
        self.kill(server)
        server = self.serve(data=server.data)
        self.take_all(server, missing | {"full/again"})
        server.stop()

    def test_the_last_word_is_quota_exceeded(self):
        server = self.serve(file_max=300_000)
        self.subscribed(server)
        with RawClient(server.port) as raw:
            raw.send(connect_packet(b"raw", 5))
            self.assertEqual(raw.packet()[:1], b"\x20")
            answers = []
            while not answers or answers[-1][0] == 0x40:
                raw.send(publish_packet(len(answers) + 1, b"full/raw", b"x" * 60_000))
                answers.append(raw.packet())
            self.assertTrue(answers[:-1])
            self.assertEqual(answers[-1], b"\xe0\x01\x97")  # DISCONNECT, quota exceeded
            self.assertEqual(raw.packet(), b"")
        with RawClient(server.port) as raw:  # and from now on no connection is lost for it
            raw.send(connect_packet(b"raw", 5) + publish_packet(1, b"full/raw", b"x"))
            self.assertEqual(raw.packet()[:1], b"\x20")
            self.assertEqual(raw.packet(), b"\x40\x03\x00\x01\x97")  # PUBACK
        self.give_room(server)
        server.stop()

    def test_a_restart_on_a_full_disk_refuses_whom_it_cannot_keep(self):
        server = self.serve(file_max=300_000)
        self.subscribed(server)
        missing = self.fill(server)
        self.kill(server)
        server = self.serve(data=server.data, file_max=1)
        for version, reason in ((5, 0x97), (5, 0x97), (4, 3)):
            with RawClient(server.port) as raw:
                raw.send(connect_packet(b"keeper", version, expiry_s=900))
                connack = raw.packet()
                self.assertEqual((connack[0], connack[3]), (0x20, reason))
                self.assertEqual(raw.packet(), b"")
        live = Client(self, server, name="live")
        self.assertEqual(live.connack.value, 0)
        live.close()
        self.give_room(server)
        self.take_all(server, missing)
        server.stop()


if __name__ == "__main__":
    unittest.main()
