// The landing page's arena: one watches until the first key, and plays by the SDK from then on.
import { Following } from "../games/arena/following.mjs";
import { Happenings } from "../games/arena/happenings.mjs";
import { World } from "../games/arena/world.mjs";
import { Painter } from "../shared/arena_painter.mjs";
import { onAway } from "../shared/away.mjs";
import { Controls } from "../shared/controls.mjs";
import { ownName, startNameForm } from "../shared/name.mjs";
import { Seat } from "./seat.mjs";
import { still } from "./still.mjs";
import { copyText, flash } from "./tabs.mjs";

const BOARD_ROWS = 6;
const BOARD_MS = 200;
const FEED_ROWS = 4;
const FEED_MS = 4000;
const IDLE_MS = 60_000; // without input, then the seat is for others
const FULL = 127; // of a direction, at full pace
const FIRST_KEY = /^Key[WASD]$/; // arrows and Space move the page until the arena has the focus

const $ = (id) => document.getElementById(id);

const hasModifier = ({ ctrlKey, metaKey, altKey }) => ctrlKey || metaKey || altKey;

/** `onMatch` is told the id of the match that is shown. */
export function startArena(onMatch) {
    const arena = $("arena");
    const canvas = $("field");
    const world = new World();
    const painter = new Painter(canvas);
    const happenings = new Happenings(painter);
    const following = new Following();
    const controls = new Controls(arena, canvas, $("strike"));
    const seat = new Seat();
    let strikes = 0; // asked for and not given yet
    let activeAt = 0;
    let boardAt = 0;
    let known = null; // names of people who are in; null: not told yet

    /* ---- what the page says */

    const phases = {
        connecting: ["Connecting …", ""],
        unreached: ["No connection", "Trying again …"],
        lost: ["Connection lost", "Trying again …"],
        watching: matchMedia("(pointer: coarse), (max-width: 46rem)").matches
            ? ["Tap to fight", "Drag to move, tap to strike"]
            : ["Press W, A, S or D", "or click for the arrow keys. Space strikes."],
        playing: ["", ""],
        dead: ["You are down", "Back in a moment …"],
        away: ["Still there?", "Your place went to others. Move to come back."],
        full: ["All places are taken", "Watch for a while, then try again."],
    };

    function enter(phase) {
        if (arena.dataset.phase === phase) return;
        arena.dataset.phase = phase;
        [$("prompt-title").textContent, $("prompt-text").textContent] = phases[phase];
        $("play").textContent = seat.wantsSeat ? "Leave" : "Play";
    }

    const say = (text) => ($("live").textContent = text);

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
        const isBot = (player) => Number(world.roster.get(player.seat)?.bot ?? false);
        const best = [...world.players].sort(
            (a, b) => b.score - a.score || isBot(a) - isBot(b) || a.deaths - b.deaths,
        );
        const rows = best.slice(0, BOARD_ROWS);
        if (world.self && !rows.includes(world.self)) rows.splice(-1, 1, world.self);
        $("board").replaceChildren(
            ...rows.map((player) => {
                const row = document.createElement("li");
                const name = document.createElement("span");
                name.textContent = world.nameOf(player.seat);
                row.append(name, String(player.score));
                row.style.setProperty("--of", painter.colourOf(player, world));
                row.classList.toggle("you", player === world.self);
                return row;
            }),
        );
    }

    /* ---- what the player does */

    function play() {
        activeAt = performance.now();
        seat.play(ownName());
        $("play").textContent = "Leave";
    }

    function leave(phase = "watching") {
        controls.release();
        seat.watch();
        enter(phase);
    }

    controls.onSteer = ({ dx, dy }) => {
        activeAt = performance.now();
        if ((dx || dy) && !seat.wantsSeat) play();
    };
    controls.onStrike = () => {
        activeAt = performance.now();
        if (seat.wantsSeat) strikes++;
        else play();
    };
    onAway(() => {
        controls.release();
        if (seat.match?.seat != null) seat.match.setInput({ dx: 0, dy: 0, mode: 0 });
    });
    controls.onLeave = () => {
        leave();
        canvas.blur();
    };
    const begin = async (taking) => {
        canvas.focus({ preventScroll: true });
        await taking;
        play();
    };
    document.addEventListener("keydown", (event) => {
        const isFree = event.target === document.body; // nothing has the focus
        if (!isFree || !FIRST_KEY.test(event.code) || hasModifier(event)) return;
        event.preventDefault();
        canvas.focus({ preventScroll: true });
        canvas.dispatchEvent(new KeyboardEvent("keydown", event));
    });
    const takeName = startNameForm((name) => seat.rename(name), begin);
    $("play").addEventListener("click", () => {
        const taking = takeName();
        if (seat.wantsSeat) leave();
        else begin(taking);
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

    seat.on("phase", (phase) => {
        if (phase === "watching" && arena.dataset.phase === "away") return;
        if (phase !== "playing") known = null;
        enter(phase);
    });
    seat.on("roster", ({ match, seats }) => {
        onMatch(match);
        const own = seat.match.playerId;
        const people = seats.filter(({ bot, connected }) => bot === null && connected);
        const names = new Set(people.filter(({ id }) => id !== own).map(({ name }) => name));
        for (const name of known ? names : []) {
            if (known.has(name)) continue;
            feed(name, " came in");
            say(`${name} came in.`);
        }
        known = names;
        $("players").textContent = people.length;
    });
    seat.on("event", ({ name, args: { id, by } }) => {
        if (name !== "player_killed") return;
        feed(world.nameOf(by), " struck down ", world.nameOf(id));
        if (by === world.own)
            say(`You struck down ${world.nameOf(id)}. Score ${world.self?.score ?? 0}.`);
        if (id === world.own) say(`${world.nameOf(by)} struck you down. You are back in a moment.`);
    });

    /* ---- what is seen */

    function steer() {
        const { dx, dy } = controls.steering;
        const isActive = dx || dy || controls.striking;
        if (isActive) activeAt = performance.now();
        const values = { dx: dx * FULL, dy: dy * FULL, mode: 0 };
        seat.match.setInput(strikes || controls.striking ? { ...values, attack: 1 } : values);
        strikes = 0;
        if (performance.now() - activeAt < IDLE_MS) return;
        leave("away");
        say("Your place went to others, since you did nothing for a while. Move to come back.");
    }

    function look(now) {
        const { match } = seat;
        const frame = match?.roster && !match.isOver ? match.frame(now) : null;
        if (!frame?.ready) return;
        world.fill(frame, match.seat, match.roster.seats);
        happenings.compare(world, now);
        if (world.self && arena.dataset.phase !== "lost") enter(world.self.hp ? "playing" : "dead");
        if (match.seat !== null) steer();
        if (now - boardAt < BOARD_MS) return;
        boardAt = now;
        showBoard();
    }

    function frame(now) {
        requestAnimationFrame(frame);
        controls.poll();
        look(now);
        if (!world.map) {
            painter.paint(still, still.players, { focus: still.focus, now, stick: null });
            return;
        }
        const focus = world.self ?? following.of(world);
        painter.paint(world, world.players, { focus, now, stick: controls.stick });
    }
    requestAnimationFrame(frame);

    canvas.arena = { world, controls, seat }; // for tests and the curious
    seat.open();
    return seat;
}
