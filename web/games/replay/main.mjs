// The page of replays: one match, played again by the rules in the page, or a list of them.
import { announce } from "../../shared/announce.mjs";
import { fetchInTheEnd, fetchReplay, findReplay } from "../../shared/replays.mjs";
import { linkPages, origin, pageLink, parameters } from "../../shared/server.mjs";
import { byId, element, setText } from "../../shared/dom.mjs";
import { People } from "./people.mjs";
import { Recording } from "./recording.mjs";
import { sentence, titleOf, whoPlayed } from "./sentences.mjs";
import { makeStage } from "./stages.mjs";

const TURN_MS = 800; // of a move: nobody wants to wait while somebody thinks
const HAPPENED_MAX = 60;
const id = parameters.get("id");

let recording, stage, people, options;
let isPlaying = false;
let carry = 0; // of the next step: 0 … 1
let last = null; // time of the frame before
let clock = 0; // ms as the picture goes: slower and faster with it

const isEnd = () => recording.tick >= recording.ticks;
const stepMs = () => (recording.game.tick_hz ? 1000 / recording.game.tick_hz : TURN_MS);

function clockText(ms) {
    const seconds = Math.floor(ms / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const nameOf = (id) => recording.nameOf(id);

const said = (event, nameOf) => sentence(recording.game, event, { nameOf, options });

function tell(events) {
    for (const event of events) {
        const words = said(event, nameOf);
        if (!words) continue;
        const at = element("span", { title: `tick ${recording.tick}` }, clockText(recording.ms));
        byId("happened").prepend(element("li", {}, at, words));
    }
    while (byId("happened").children.length > HAPPENED_MAX) byId("happened").lastChild.remove();
}

function show(elapsed = 0) {
    const { tick } = recording;
    byId("seek").value = tick;
    byId("seek").setAttribute("aria-valuetext", `tick ${tick}, ${clockText(recording.ms)}`);
    const clocks = `${clockText(recording.ms)} / ${clockText(recording.duration)}`;
    setText(byId("time"), `${clocks} · tick ${tick} of ${recording.ticks}`);
    byId("step").disabled = isEnd();
    byId("back").disabled = tick === 0;
    document.body.dataset.at = isEnd() ? "end" : "middle";
    people.show(recording);
    paint(elapsed);
}

function paint(elapsed) {
    stage.show(recording, {
        alpha: recording.game.tick_hz ? carry || 1 : 1,
        now: clock,
        elapsed,
    });
}

/** Between two states one is on the way from the one before to the one that is. */
function frame(now) {
    requestAnimationFrame(frame);
    const pace = isPlaying ? Number(byId("speed").value) : 1;
    const elapsed = pace * (last === null ? 0 : Math.min(now - last, 250));
    last = now;
    clock += elapsed;
    if (!isPlaying) {
        // What moves by itself, sparks and the camera, comes to rest.
        if (recording.game.tick_hz) paint(elapsed);
        return;
    }
    carry += elapsed / stepMs();
    while (carry >= 1 && isPlaying) {
        carry--;
        step();
    }
    show(elapsed);
}

function step() {
    const events = recording.step();
    if (events) tell(events);
    if (isEnd()) {
        carry = 0;
        setPlaying(false);
        announce("The replay has ended.");
    }
}

function setPlaying(value) {
    if (value && isEnd()) seek(0); // once more
    isPlaying = value;
    setText(byId("play"), isPlaying ? "Pause" : "Play");
    byId("play").setAttribute("aria-pressed", String(isPlaying));
    document.body.dataset.playing = isPlaying ? "yes" : "no";
}

function seek(tick) {
    carry = 0;
    stage.forget?.();
    byId("happened").replaceChildren();
    recording.seek(tick, tell, HAPPENED_MAX);
    show();
}

function showVerdict({ fault, tick, agreed, hashes }) {
    const said = {
        good: ["verified ✓", `${hashes} hashes agree, the last at tick ${agreed}.`],
        truncated: [
            "verified ✓ as far as it goes",
            `${hashes} hashes agree up to tick ${agreed}; the end is missing.`,
        ],
        differs: [
            `differs at tick ${tick}`,
            `These rules come to another state than was recorded; tick ${agreed} still agreed.`,
        ],
    }[fault] ?? [`${fault} at tick ${tick}`, "The file is not what was written."];
    setText(byId("verdict"), said[0]);
    byId("verdict").dataset.fault = fault;
    byId("verdict").title = said[1];
    setText(byId("verdict-detail"), said[1]);
    announce(`${said[0]}. ${said[1]}`);
}

class StillOpen extends Error {
    constructor({ game, match }) {
        super("That match is still open: look again when everybody has left it.");
        const link = { match, as: "spectator" };
        this.way = game && [pageLink(`../${game}/`, link), "Watch the match"];
    }
}

/** Why there is nothing to see, and ways on. */
function fail({ message, way }) {
    const ways = [way, [pageLink("./"), "All replays"]].filter(Boolean);
    const links = ways.map(([href, text]) => element("a", { href }, text));
    byId("failure").replaceChildren(message, ...links.flatMap((link) => [" ", link]));
    byId("failure").hidden = false;
    document.body.dataset.ready = "failed";
}

async function openReplay() {
    const { isThere, open } = await findReplay(id, fetchInTheEnd);
    if (open) throw new StillOpen(open);
    const reply = isThere ? await fetchReplay(id) : null;
    if (!reply?.ok) throw new Error("There is no such replay: it is gone, or was too short.");
    const bytes = new Uint8Array(await reply.arrayBuffer());
    recording = await Recording.open(bytes, (game) => `${origin}/games/${game}.wasm`);
    setText(byId("title"), recording.game.title);
    document.title = `${recording.game.title}, replay · fray`;
    setText(byId("verdict"), "verifying …");
    ({ options } = recording.describe());
    const verdict = await recording.verify(
        (event) => said(event, String),
        (tick) => setText(byId("verdict"), `verifying ${tick} …`),
    );
    byId("viewer").hidden = false;
    stage = makeStage(recording);
    people = new People(stage.following);
    byId("seek").max = recording.ticks;
    showVerdict(verdict);
    show();
    byId("play").addEventListener("click", () => setPlaying(!isPlaying));
    byId("step").addEventListener("click", () => {
        setPlaying(false);
        carry = 0;
        step();
        show();
    });
    byId("back").addEventListener("click", () => {
        setPlaying(false);
        seek(Math.max(0, recording.tick - 1));
    });
    byId("seek").addEventListener("input", () => seek(Number(byId("seek").value)));
    addEventListener("resize", () => show());
    document.addEventListener("keydown", (event) => {
        if (event.key !== " " || event.target.matches("select, button, a")) return;
        event.preventDefault();
        setPlaying(!isPlaying);
    });
    requestAnimationFrame(frame);
    byId("viewer").replay = { recording, stage }; // for tests and the curious
    document.body.dataset.ready = "yes";
}

async function openList() {
    const reply = await fetchInTheEnd(`${origin}/replays`);
    const { replays } = reply.ok ? await reply.json() : { replays: [] };
    byId("list").hidden = false;
    byId("none").hidden = replays.length > 0;
    byId("replays").append(
        ...replays.map(({ id, game, players, started_ms }) =>
            element(
                "li",
                { class: "card" },
                element("b", {}, titleOf(game)),
                element("span", {}, whoPlayed(players)),
                element("time", { class: "quiet" }, new Date(started_ms).toLocaleString()),
                element("a", { class: "button", href: pageLink("", { id }) }, "Watch"),
            ),
        ),
    );
    document.body.dataset.ready = "yes";
}

linkPages();
try {
    await (id ? openReplay() : openList());
} catch (error) {
    fail(error);
}
