// The name one plays under: kept in this browser, made up at first, and asked for nowhere else.
import { byId } from "./dom.mjs";

const KEY = "fray.name";
export const NAME_MAX = 20;
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

export const ownName = () => current;

/**
 * The form #name-form with the field #name. `changed(name)` when another name is entered, `done()`
 * after Enter. Returns what takes over what is in the field.
 */
export function startNameForm(changed, done = () => byId("name").blur()) {
    const field = byId("name");
    field.maxLength = NAME_MAX;
    field.value = current;
    const take = () => {
        const name = field.value.trim().replace(/\s+/g, " ").slice(0, NAME_MAX);
        if (name && name !== current) {
            current = name;
            write(name);
            changed(name);
        }
        field.value = current;
    };
    field.addEventListener("change", take);
    byId("name-form").addEventListener("submit", (event) => {
        event.preventDefault();
        take();
        done();
    });
    return take;
}
