// The name one plays under: kept in this browser, made up at first, and asked for nowhere else.
import { isAway } from "./banner.mjs";
import { byId } from "./dom.mjs";
import { toast } from "./toast.mjs";

const KEY = "fray.name";
export const NAME_MAX = 20;
const REFUSED = ["bad_name", "wrong_shape"]; // codes of docs/games.md
const RULE = `A name is up to ${NAME_MAX} letters, digits or other signs that can be seen.`;
const FIRST = [
    "Amber",
    "Brisk",
    "Calm",
    "Daring",
    "Eager",
    "Fuzzy",
    "Jolly",
    "Lucky",
    "Mellow",
    "Nimble",
    "Plucky",
    "Quiet",
    "Rapid",
    "Sly",
    "Sunny",
    "Witty",
];
const SECOND = [
    "Badger",
    "Crane",
    "Dingo",
    "Ferret",
    "Gecko",
    "Heron",
    "Ibex",
    "Lynx",
    "Marten",
    "Newt",
    "Otter",
    "Puffin",
    "Raven",
    "Stoat",
    "Tapir",
    "Wombat",
];

const any = (list) => list[Math.floor(Math.random() * list.length)];

function read() {
    try {
        return localStorage.getItem(KEY);
    } catch {
        return null; // storage is off: a new name for each page
    }
}

function write(name) {
    try {
        localStorage.setItem(KEY, name);
    } catch {
        // as above
    }
}

let current = read();
if (!current) {
    current = `${any(FIRST)} ${any(SECOND)}`;
    write(current);
}

let known = current; // the one before what the server has not taken yet
let tell = null; // what could not be told the server, once more

export const ownName = () => current;

/** The connection is there again: a name that was entered meanwhile is told. */
export const tellName = () => tell?.();

/**
 * The form #name-form with the field #name. `changed(name)` when another name is entered: tells it
 * the server, resolves with the answer. `done(taking)` after Enter; `taking` resolves once the name
 * has been taken or refused. Returns what takes over what is in the field, resolving likewise.
 */
export function startNameForm(changed, done = () => byId("name").blur()) {
    const field = byId("name");
    let taking = Promise.resolve();
    field.maxLength = NAME_MAX;
    field.value = current;
    const take = () => {
        const name = field.value.trim().replace(/\s+/g, " ").slice(0, NAME_MAX);
        if (name && name !== current) taking = adopt(name, changed);
        field.value = current;
        return taking;
    };
    field.addEventListener("change", take);
    byId("name-form").addEventListener("submit", (event) => {
        event.preventDefault();
        done(take());
    });
    return take;
}

/** At once; what the server refuses gives way to the name before, which is the one that is kept. */
async function adopt(name, changed) {
    current = name;
    tell = null;
    let taken = name;
    try {
        known = taken = (await changed(name))?.name ?? name;
    } catch (error) {
        const { code, message } = error;
        const isRefused = REFUSED.includes(code);
        if (isRefused) taken = known;
        if (isAway(error)) tell = () => adopt(name, changed);
        if (code && code !== "lost") toast(isRefused ? RULE : message);
    }
    if (current !== name) return; // another one was entered meanwhile
    current = taken;
    write(taken);
    const field = byId("name");
    if (field.value === name) field.value = taken;
}
