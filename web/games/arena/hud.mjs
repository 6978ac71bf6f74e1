// Over the arena: one's own health and score, who leads, who struck down whom, and the small map.
import { byId, element, setText } from "../../shared/dom.mjs";
import { count } from "../../shared/words.mjs";
import { paintMinimap } from "./minimap.mjs";

const ROWS = 8;
const FEED_ROWS = 5;
const BOARD_MS = 300;
const MAP_MS = 80;
const NEAR = 40; // CSS px from the small map

const hud = byId("hud");
const bar = element("i");
const health = element("div", { class: "health", role: "img" }, bar);
const name = element("b");
const kills = element("span");
const deaths = element("small");
const score = element("span", {}, kills, deaths);
const own = element(
    "div",
    { class: "plate own" },
    element("div", { class: "line" }, name, score),
    health,
);
const feed = element("ul", { class: "feed", "aria-hidden": "true" });
const body = element("tbody");
const head = ["", "Kills", "Deaths"].map((text) => element("th", { scope: "col" }, text));
head[0].append(element("span", { class: "sr" }, "Name"));
const board = element(
    "div",
    { class: "plate board" },
    element("table", {}, element("thead", {}, element("tr", {}, head)), body),
);
const map = element("canvas", { class: "minimap", "aria-hidden": "true" });
let boardAt = 0;
let mapAt = 0;

hud.append(element("div", {}, own, feed), board);
byId("screen").append(map);

/** Once a frame. `painter` knows colours and what of the map is seen. */
export function showHud(world, painter, now) {
    hud.hidden = map.hidden = world === null;
    if (!world) return;
    const { self } = world;
    own.hidden = self === null;
    if (self) {
        setText(name, `${self.hp} hp`);
        setText(kills, count(self.score, "kill"));
        setText(deaths, ` · ${count(self.deaths, "death")}`);
        const width = `${self.hp}%`;
        if (bar.style.width !== width) bar.style.width = width;
        health.classList.toggle("low", self.hp <= 30);
        health.ariaLabel = `${self.hp} of 100 health`;
    }
    if (now - boardAt > BOARD_MS) {
        boardAt = now;
        showBoard(world, painter);
    }
    if (now - mapAt > MAP_MS) {
        mapAt = now;
        paintMinimap(map, world, painter, self);
        map.classList.toggle("over", self !== null && covers(map, placeOf(self, painter)));
    }
}

/** Where somebody is in the picture, CSS px. */
function placeOf({ x, y }, { seen: { left, top, right } }) {
    const scale = byId("canvas").clientWidth / (right - left);
    return { x: (x - left) * scale, y: (y - top) * scale };
}

/** Whether somebody at this place is behind it, or nearly. */
function covers({ offsetLeft, offsetTop, offsetWidth, offsetHeight }, { x, y }) {
    const isBeside = x < offsetLeft - NEAR || x > offsetLeft + offsetWidth + NEAR;
    return !isBeside && y > offsetTop - NEAR && y < offsetTop + offsetHeight + NEAR;
}

function showBoard(world, painter) {
    const best = [...world.players].sort(
        (a, b) => b.score - a.score || a.deaths - b.deaths || a.seat - b.seat,
    );
    const rows = best.slice(0, ROWS);
    if (world.self && !rows.includes(world.self)) rows.splice(-1, 1, world.self);
    while (body.children.length > rows.length) body.lastChild.remove();
    rows.forEach((player, at) => {
        let line = body.children[at];
        if (!line) {
            line = element("tr", {}, element("td"), element("td"), element("td"));
            body.append(line);
        }
        [world.nameOf(player.seat), player.score, player.deaths].forEach((value, column) =>
            setText(line.children[column], String(value)),
        );
        line.classList.toggle("own-row", player === world.self);
        line.style.setProperty("--of", painter.colourOf(player, world));
    });
}

/** "Ann struck down Bob", for a while. */
export function feedKill(by, victim) {
    feed.append(element("li", {}, element("b", {}, by), " struck down ", element("b", {}, victim)));
    while (feed.children.length > FEED_ROWS) feed.firstChild.remove();
    const line = feed.lastChild;
    line.addEventListener("animationend", () => line.remove());
}

export function clearFeed() {
    feed.replaceChildren();
}
