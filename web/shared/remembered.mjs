// What this browser was told, as JSON under a name: toggles that outlive the page, seats.

/** `kind`: localStorage, or sessionStorage for what is this tab's. */
export function remembered(name, standard, kind = "localStorage") {
    try {
        return JSON.parse(window[kind].getItem(`fray.${name}`)) ?? standard;
    } catch {
        return standard;
    }
}

/** null: no more. */
export function remember(name, value, kind = "localStorage") {
    try {
        if (value === null) window[kind].removeItem(`fray.${name}`);
        else window[kind].setItem(`fray.${name}`, JSON.stringify(value));
    } catch {
        // storage is off: it holds as long as the page
    }
}
