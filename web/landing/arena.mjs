// The arena's page half: what was pressed goes to the server, what the server says is shown.
import { io } from "socket.io-client";
import { Controls } from "../shared/controls.mjs";
import { Painter } from "../shared/arena_painter.mjs";
import { copyText, flash } from "./tabs.mjs";
import { World } from "./world.mjs";

const BOARD_ROWS = 6;
const FEED_ROWS = 4;
const FEED_MS = 4000;

const $ = (id) => document.getElementById(id);

export function startArena() {
    const arena = $("arena");
    const canvas = $("field");
    const world = new World();
    const painter = new Painter(canvas);
    const controls = new Controls(arena, canvas, $("strike"));
    const socket = io("/arena");
    let wantsSeat = false; // kept over lost connections
    let struckAt = -Infinity;
    let known = new Set(); // names of people who are in

    /* ---- what the page says */

    const phases = {
        connecting: ["Connecting …", ""],
        lost: ["Connection lost", "Trying again …"],
        watching: matchMedia("(pointer: coarse), (max-width: 46rem)").matches
            ? ["Tap to fight", "Drag to move, tap to strike"]
            : ["Press any arrow key", "or W A S D. Space strikes."],
        playing: ["", ""],
        dead: ["You are down", "Back in a moment …"],
        away: ["Still there?", "Your place went to others. Move to come back."],
        full: ["All places are taken", "Watch for a while, then try again."],
    };

    function enter(phase) {
        if (arena.dataset.phase === phase) return;
        arena.dataset.phase = phase;
        [$("prompt-title").textContent, $("prompt-text").textContent] = phases[phase];
        $("play").textContent = wantsSeat ? "Leave" : "Play";
    }

    const say = (text) => ($("live").textContent = text);
    const nameOf = (seat) => world.roster.get(seat)?.name ?? "somebody";

    function feed(...parts) {
        const row = document.createElement("li");
        row.append(
            ...parts.map((part, i) =>
                i % 2 ? part : Object.assign(document.createElement("b"), { textContent: part }),
            ),
        );
        $("feed").append(row);
        while ($("feed").children.length > FEED_ROWS) $("feed").firstChild.remove();
        setTimeout(() => row.remove(), FEED_MS);
    }

    function showBoard() {
        const isBot = ({ seat }) => Number(world.roster.get(seat)?.bot ?? false);
        const best = world.everybody.sort(
            (a, b) => b.score - a.score || isBot(a) - isBot(b) || a.deaths - b.deaths,
        );
        const rows = best.slice(0, BOARD_ROWS);
        const own = best.find(({ seat }) => seat === world.own);
        if (own && !rows.includes(own)) rows.splice(-1, 1, own);
        $("board").replaceChildren(
            ...rows.map((player) => {
                const row = document.createElement("li");
                const name = document.createElement("span");
                name.textContent = nameOf(player.seat);
                row.append(name, String(player.score));
                row.style.setProperty("--of", painter.colourOf(player, world));
                row.classList.toggle("you", player.seat === world.own);
                return row;
            }),
        );
        $("players").textContent = [...world.roster.values()].filter(({ bot }) => !bot).length;
    }

    /* ---- what the player does */

    function play() {
        wantsSeat = true;
        const name = $("name").value.trim();
        if (socket.connected)
            socket.emit("play", name ? { name } : {}, ({ seat }) => {
                world.own = seat;
                enter("playing");
                steer(controls.steering);
            });
    }

    function leave() {
        wantsSeat = false;
        world.own = null;
        controls.release();
        if (socket.connected) socket.emit("leave");
        enter("watching");
    }

    function steer({ dx, dy }) {
        if (world.own !== null)
            socket.emit("steer", { dx: Math.round(dx * 127), dy: Math.round(dy * 127) });
        else if ((dx || dy) && !wantsSeat) play();
    }

    function strike() {
        const now = performance.now();
        if (world.own === null) {
            if (!wantsSeat) play();
            return;
        }
        const me = world.latest(world.own);
        if (!me?.hp || !world.map || now - struckAt < world.map.cooldown_ms) return;
        struckAt = now;
        socket.emit("attack", { seen: world.tickShown(now) });
        painter.swing(me, now); // before the server says so
    }

    controls.onSteer = steer;
    controls.onStrike = strike;
    controls.onLeave = () => {
        leave();
        canvas.blur();
    };
    $("who").addEventListener("submit", (event) => {
        event.preventDefault();
        localStorage.setItem("name", $("name").value.trim());
        if (wantsSeat) return leave();
        play();
        canvas.focus({ preventScroll: true });
    });
    $("name").addEventListener("change", () => {
        localStorage.setItem("name", $("name").value.trim());
        if (wantsSeat) play(); // under the new name
    });
    $("invite").addEventListener("click", async () => {
        if (navigator.share && matchMedia("(pointer: coarse)").matches)
            return navigator
                .share({ title: "fray", text: "Meet me in the arena", url: location.href })
                .catch(() => {});
        await copyText(location.href);
        flash($("invite"), "Link copied");
    });

    /* ---- what the server says */

    socket.on("connect", () => {
        world.own = null;
        enter("watching");
        if (wantsSeat) play();
    });
    socket.on("disconnect", () => enter("lost"));
    socket.on("map", (map) => world.enter(map));
    socket.on("roster", (list) => {
        world.setRoster(list);
        const people = new Set(
            list.filter(({ bot, seat }) => !bot && seat !== world.own).map(({ name }) => name),
        );
        for (const name of people) {
            if (known.has(name) || name === nameOf(world.own)) continue;
            feed(name, " came in");
            say(`${name} came in.`);
        }
        known = people;
        showBoard();
    });
    socket.on("state", (state) => {
        world.receive(state, performance.now());
        const me = world.latest(world.own);
        if (me) enter(me.hp ? "playing" : "dead");
        showBoard();
    });
    socket.on("killed", ({ seat, by }) => {
        feed(nameOf(by), " struck down ", nameOf(seat));
        if (by === world.own)
            say(`You struck down ${nameOf(seat)}. Score ${(world.latest(by)?.score ?? 0) + 1}.`);
        if (seat === world.own) say(`${nameOf(by)} struck you down. You are back in a moment.`);
    });
    socket.on("away", () => {
        wantsSeat = false;
        world.own = null;
        controls.release();
        enter("away");
        say("Your place went to others, since you did nothing for a while. Move to come back.");
    });
    socket.on("error", ({ code }) => {
        if (code !== "full") return;
        wantsSeat = false;
        enter("full");
    });

    /* ---- what is seen */

    world.onSwing = (player) =>
        player.seat !== world.own && painter.swing(player, performance.now());
    world.onHit = (player, amount) =>
        painter.hit(player, amount, performance.now(), player.seat === world.own);
    world.onDeath = (player) =>
        painter.burst(player, painter.colourOf(player, world), performance.now());

    function frame(now) {
        requestAnimationFrame(frame);
        if (!world.map) return;
        if (controls.striking) strike();
        const players = world.sample(now, controls.steering);
        const leader = world.everybody.sort((a, b) => b.score - a.score || a.seat - b.seat)[0]
            ?.seat;
        const focus = players.find(({ seat }) => seat === (world.own ?? leader));
        painter.paint(world, players, { focus, now, stick: controls.stick });
    }
    requestAnimationFrame(frame);

    $("name").value = localStorage.getItem("name") ?? "";
    $("name").placeholder = "guest";
    canvas.focus({ preventScroll: true });
    canvas.arena = { world, controls, socket }; // for tests and the curious
    return socket;
}
