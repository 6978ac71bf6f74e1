// What this browser was told to show or play: toggles that outlive the page.

export function remembered(name, standard) {
    try {
        return JSON.parse(localStorage.getItem(`fray.${name}`)) ?? standard;
    } catch {
        return standard;
    }
}

export function remember(name, value) {
    try {
        localStorage.setItem(`fray.${name}`, JSON.stringify(value));
    } catch {
        // storage is off: it holds as long as the page
    }
}
