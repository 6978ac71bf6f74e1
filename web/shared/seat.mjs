// The secrets that give seats back: after a reload, a lost connection, or when the tab was closed.
// Two tabs are two players. So each has its own seat (sessionStorage), and while it sits there
// holds a lock of it; a seat of this browser (localStorage) that no tab holds is for who comes back
// to its match. Browsers have no locks for pages from another machine over plain HTTP: there, seats
// are the tab's alone. Each server has its own: a link may name any, and a seat's secret is told to
// nobody but the server that gave it.
import { remember, remembered } from "./remembered.mjs";
import { origin } from "./server.mjs";

const OWN = `seat ${origin}`;
const ALL = `seats ${origin}`;
const OLD_MS = 60 * 60 * 1000;
const LAST_PAGE_MS = 1000; // for which this tab's page before a reload may still be there

let held = null; // {match, token, release}: of this page; release is null until it has the lock

const isSame = (a, b) => a?.match === b?.match && a?.token === b?.token;

/** All of this browser at this server, the newest first. */
function seats() {
    const all = remembered(ALL, []);
    return Array.isArray(all) ? all.filter(({ at }) => Date.now() - at < OLD_MS) : [];
}

/** Resolves to what releases the lock, or null: another tab has it. */
function lock({ token }, options) {
    return new Promise((resolve) => {
        const hold = (lock) => (lock ? new Promise(resolve) : resolve(null));
        navigator.locks.request(`fray.seat ${token}`, options, hold).catch(() => resolve(null));
    });
}

/** This tab's seat in the match, or one of this browser that no tab sits in: {match, token}, or
 * null. */
export async function claimSeat(match) {
    if (held?.match === match) return held;
    const own = remembered(OWN, null, "sessionStorage");
    if (own?.match === match) {
        if (!navigator.locks) return own;
        if (await take(own, { signal: AbortSignal.timeout(LAST_PAGE_MS) })) return held;
    }
    for (const seat of navigator.locks ? seats() : [])
        if (seat.match === match && (await take(seat, { ifAvailable: true }))) return held;
    return null;
}

/** Whether a link to the match leads this tab back to its seat. */
export const hasSeat = (match) => remembered(OWN, null, "sessionStorage")?.match === match;

/** As the newest of this browser. */
function enlist({ match, token }) {
    const others = seats().filter((other) => !isSame(other, { match, token }));
    remember(ALL, [{ match, token, at: Date.now() }, ...others]);
}

/* From now on somebody may come back to it. */
addEventListener("pagehide", () => held && enlist(held));

async function take({ match, token }, options) {
    const release = await lock({ token }, options);
    if (!release) return false;
    held?.release?.();
    held = { match, token, release };
    return true;
}

/** `joined` of docs/games.md. */
export async function keepSeat({ match, token }) {
    const seat = { match, token };
    if (!isSame(held, seat)) dropSeat();
    if (!token) return; // watches
    remember(OWN, seat, "sessionStorage");
    if (!navigator.locks) return;
    enlist(seat);
    if (held) return;
    const taken = (held = { ...seat, release: null });
    const release = await lock(seat, { ifAvailable: true });
    if (held === taken) held.release = release;
    else release?.(); // dropped meanwhile
}

/** The seat is given up, or was not this player's any more. */
export function dropSeat() {
    remember(OWN, null, "sessionStorage");
    if (!held) return;
    const left = seats().filter((other) => !isSame(other, held));
    remember(ALL, left);
    held.release?.();
    held = null;
}
