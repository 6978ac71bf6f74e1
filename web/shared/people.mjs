// Who is in the match, and what one may do about it: ready, start, rematch, bots, kick, invite.
import { avatar, colourOf } from "./avatar.mjs";
import { byId, element, reconcile, setText } from "./dom.mjs";
import { Question } from "./question.mjs";
import { toast } from "./toast.mjs";
import { count, isBeforePicture, secondsOf } from "./words.mjs";

const LEVELS = { 1: ["bot"], 2: ["easy bot", "bot"], 3: ["easy bot", "bot", "strong bot"] };

export function botTitle(level, levels) {
    return LEVELS[levels]?.[level] ?? "bot";
}

function describe(model, seat) {
    const words = [];
    if (seat.id === model.own?.id) words.push("you");
    if (seat.bot !== null) words.push(botTitle(seat.bot, model.bot_levels));
    if (seat.seat === model.host) words.push("host");
    if (seat.stand_in) words.push("a bot stands in");
    else if (!seat.connected) words.push("away");
    if (model.phase === "waiting" && seat.ready) words.push("ready");
    const isEnough = model.seats.length >= model.seats_min;
    if (model.phase === "over" && isEnough && seat.rematch) words.push("wants a rematch");
    return words.join(" · ");
}

/** Not whom quick play has brought together: to remove the other would be to win. */
function mayRemove({ isHost, own, host_may_kick }, { id }) {
    return isHost && host_may_kick && id !== own.id;
}

/** A button that removes a bot; where it is a person, it asks first. */
function removal({ name, bot }, remove) {
    const click = () => (bot === null ? question.ask() : remove());
    const attributes = { type: "button", class: "plain", "aria-label": `Remove ${name}`, click };
    const button = element("button", attributes, "Remove");
    const labels = { yes: `Yes, remove ${name}`, no: `No, keep ${name}` };
    const question = new Question(button, { words: `Remove ${name}?`, ...labels }, remove);
    return element("div", { class: "removal" }, button, question.box);
}

/** Where the game's picture gives players colours of its own, the list has them, too. */
const colourIn = (model, seat) =>
    model.colourOf?.(seat, model.own) ??
    colourOf({ ...seat, bot: seat.bot !== null }, seat.id === model.own?.id);

export function showPeople(model, act) {
    reconcile(byId("people"), model.seats, {
        key: (seat) => `${seat.id} ${seat.name} ${colourIn(model, seat)}`,
        make: (seat) => {
            const isBot = seat.bot !== null;
            const name = element("span", { class: "who" }, seat.name);
            return element(
                "li",
                {},
                avatar({ ...seat, bot: isBot }, false, colourIn(model, seat)),
                element("div", { class: "words" }, name, element("small")),
                removal(seat, () => act("kick", { seat: seat.seat })),
            );
        },
        update: (line, seat) => {
            setText(line.querySelector("small"), describe(model, seat));
            line.querySelector(".removal").hidden = !mayRemove(model, seat);
            line.classList.toggle("away", !seat.connected && seat.bot === null);
        },
    });
    setText(byId("spectators"), watching(model));
}

/** How many watch, and whether what they see is the past. */
function watching({ spectators, spectator_delay_ms: delay, own }) {
    if (!own) {
        const beside = spectators > 1 ? ` with ${count(spectators - 1, "other")}` : "";
        const past = delay ? ` You see what was ${secondsOf(delay)} ago.` : "";
        return `You are watching${beside}.${past}`;
    }
    if (!spectators) return "";
    const many = spectators === 1 ? "1 is watching" : `${spectators} are watching`;
    return delay ? `${many}, ${secondsOf(delay)} later` : many;
}

/** Names of those for whom the start waits: bots are always ready, and who is away is not asked. */
export const unready = ({ seats, host }) =>
    seats
        .filter(
            ({ seat, bot, connected, ready }) =>
                seat !== host && bot === null && connected && !ready,
        )
        .map(({ name }) => name);

function actions(model) {
    const { own, isHost, phase, seats } = model;
    const isFull = seats.length >= model.seats_max;
    if (!own) {
        if (isBeforePicture(model)) return []; // whether a seat is free is not known yet
        return isFull ? [] : [{ key: "sit", text: "Take a seat", event: "sit", primary: true }];
    }
    const list = [];
    const waits = phase === "waiting";
    const isEnough = seats.length >= model.seats_min;
    if (waits && model.start === "host") {
        if (isHost && isEnough) {
            const primary = unready(model).length === 0;
            const start = { key: "start", text: "Start the game", event: "start_game" };
            list.push({ ...start, primary, disabled: !primary });
        }
        if (!isHost) {
            const text = own.ready ? "Not ready after all" : "I am ready";
            list.push({
                key: "ready",
                text,
                event: "ready",
                content: { ready: !own.ready },
                primary: !own.ready,
            });
        }
    }
    if (phase === "over" && isEnough) {
        const others = model.seats_max === 2 ? "other" : "others";
        const text = own.rematch ? `Waiting for the ${others} …` : "Rematch";
        list.push({ key: "rematch", text, event: "rematch", primary: true, disabled: own.rematch });
    }
    if (phase === "over" && model.seats_max === 2) {
        const primary = !isEnough; // alone
        list.push({ key: "other", text: "Find another opponent", event: "quick", primary });
    }
    const isAlone = seats.filter(({ bot }) => bot === null).length === 1;
    if (isHost && !isFull && phase !== "playing" && (model.host_may_kick || isAlone))
        list.push({ key: "bot", text: "Add a bot", event: "add_bot" });
    return list;
}

export function showActions(model, act) {
    reconcile(byId("actions"), actions(model), {
        key: ({ key }) => key,
        make: ({ key }) => element("button", { type: "button", id: `action-${key}` }),
        update: (button, { text, event, content, primary, disabled }) => {
            setText(button, text);
            button.classList.toggle("primary", Boolean(primary));
            button.disabled = Boolean(disabled);
            button.onclick = () => act(event, content);
        },
    });
}

const isSharing = () => navigator.share && matchMedia("(pointer: coarse)").matches;

/** Only the link leads there, and nobody has come by it yet. */
export const waitsForFriend = (model) =>
    model.private && model.own !== null && model.phase === "waiting" && lacksPlayers(model);

const lacksPlayers = ({ seats, seats_min: least }) => seats.length < least;

/** Beside the stage while there is a free seat; on it where nothing else can bring anybody. */
export function showInvitation(model, link) {
    byId("invitation").hidden = model.seats.length >= model.seats_max;
    if (byId("stage-share")) byId("stage-share").hidden = !waitsForFriend(model);
    for (const box of document.querySelectorAll(".share")) fillShare(box, link, model.title);
}

function fillShare(box, link, title) {
    const [field, button] = [box.querySelector("input"), box.querySelector("button")];
    if (field.value !== link) field.value = link;
    setText(button, isSharing() ? "Share" : "Copy");
    button.onclick = () => share(field, title);
}

async function share(field, title) {
    const link = field.value;
    try {
        if (isSharing()) {
            await navigator.share({ title, url: link });
            return;
        }
        await navigator.clipboard.writeText(link);
        toast("Link copied.");
    } catch (error) {
        if (error.name === "AbortError") return;
        field.select(); // no permission: one copies by hand
        toast("Copy the marked link.");
    }
}
