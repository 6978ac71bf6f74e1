// The net graph: what the connection does to the game, in numbers and a line of the last seconds.
import { byId, element, setText } from "../dom.mjs";
import { remember, remembered } from "../remembered.mjs";

const KEY = "net_graph";
const EVERY_MS = 250;
const KEEP = 80; // points of the line: 20 s

const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const bytes = (value) =>
    value < 10000 ? `${Math.round(value)} B/s` : `${(value / 1000).toFixed(1)} kB/s`;
const ROWS = [
    ["Round trip", ({ rtt }) => rtt, ms],
    ["Jitter", ({ jitter }) => jitter, ms],
    ["Loss", ({ loss }) => loss, (value) => `${(value * 100).toFixed(1)} %`],
    ["Snapshot age", ({ snapshotAge }) => snapshotAge, ms],
    ["Input margin", ({ inputMargin }) => inputMargin, (value) => `${value.toFixed(1)} ticks`],
    ["Corrections", ({ corrections }) => corrections, (value) => `${value}`],
    ["Last correction", ({ correctionPx }) => correctionPx, (value) => `${value.toFixed(1)} px`],
    ["In", ({ bytesIn }) => bytesIn, bytes],
    ["Out", ({ bytesOut }) => bytesOut, bytes],
    ["Ticks, snapshots", ({ tickRate, snapshotRate }) => [tickRate, snapshotRate], rates],
    ["Frames", ({ frameRate }) => frameRate, (value) => `${Math.round(value)} /s`],
    ["Transport", ({ transport }) => transport, String],
];

function rates([ticks, snapshots]) {
    return `${Math.round(ticks)}, ${Math.round(snapshots)} /s`;
}

export class NetGraph {
    on = remembered(KEY, false);
    #panel = byId("net-graph");
    #values;
    #line = element("canvas", { width: 400, height: 88, "aria-hidden": "true" });
    #scale = element("li");
    #points = []; // {rtt, age}
    #shownAt = -Infinity;
    #frames = 0;

    constructor() {
        this.#values = ROWS.map(() => element("dd", {}, "–"));
        const list = element(
            "dl",
            {},
            ROWS.map(([name], at) => element("div", {}, element("dt", {}, name), this.#values[at])),
        );
        const names = [
            ["rtt", "round trip"],
            ["age", "snapshot age"],
        ].map(([key, name]) => element("li", { class: key }, name));
        const legend = element("ul", { class: "legend" }, names, this.#scale);
        this.#panel.append(element("div", { class: "line" }, this.#line, legend), list);
        this.#panel.hidden = !this.on;
    }

    set(on) {
        this.on = on;
        remember(KEY, on);
        this.#panel.hidden = !on;
    }

    /** Once a frame. `stats` as the SDK has them; what is missing shows a dash. */
    update(stats, now) {
        this.#frames++;
        if (now - this.#shownAt < EVERY_MS) return;
        const frameRate = (this.#frames * 1000) / Math.max(EVERY_MS, now - this.#shownAt);
        const full = { ...stats, frameRate };
        this.#shownAt = now;
        this.#frames = 0;
        this.#points.push({ rtt: full.rtt || 0, age: full.snapshotAge || 0 }); // NaN: none came yet
        if (this.#points.length > KEEP) this.#points.shift();
        if (!this.on) return;
        ROWS.forEach(([, read, write], at) => {
            const value = read(full);
            const isKnown = ![value].flat().some((one) => one == null || Number.isNaN(one));
            setText(this.#values[at], isKnown ? write(value) : "–");
        });
        this.#paint();
    }

    #paint() {
        const { width, height } = this.#line;
        const c = this.#line.getContext("2d");
        const most = Math.max(50, ...this.#points.map(({ rtt, age }) => Math.max(rtt, age))) * 1.15;
        setText(this.#scale, `20 s, 0 to ${Math.round(most)} ms`);
        const style = getComputedStyle(this.#panel);
        c.clearRect(0, 0, width, height);
        for (const [key, name] of [
            ["age", "--line-two"],
            ["rtt", "--line-one"],
        ]) {
            c.strokeStyle = style.getPropertyValue(name);
            c.lineWidth = 3;
            c.beginPath();
            this.#points.forEach((point, at) =>
                c.lineTo(
                    (at / (KEEP - 1)) * width,
                    height - 2 - (point[key] / most) * (height - 6),
                ),
            );
            c.stroke();
        }
    }
}
