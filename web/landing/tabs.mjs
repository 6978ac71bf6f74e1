// Tabs by the ARIA Authoring Practices' pattern: arrow keys, Home and End move between them.
import { origin } from "../shared/server.mjs";

/** Returns what writes the match that the page shows into the snippets. */
export function startTabs() {
    const root = document.getElementById("tabs");
    const tabs = [...root.querySelectorAll('[role="tab"]')];
    const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

    const codes = [...root.querySelectorAll("code")];
    const templates = codes.map(({ textContent }) =>
        textContent
            .replaceAll("{{origin}}", origin)
            .replaceAll("{{ws}}", origin.replace(/^http/, "ws")),
    );
    let shown = null;
    const showMatch = (id) => {
        if (shown === id) return; // a selection would be lost
        shown = id;
        codes.forEach((code, i) => (code.textContent = templates[i].replaceAll("{{match}}", id)));
    };
    showMatch("MATCH");

    const select = (chosen) => {
        for (const tab of tabs) {
            tab.setAttribute("aria-selected", String(tab === chosen));
            tab.tabIndex = tab === chosen ? 0 : -1;
            panel(tab).hidden = tab !== chosen;
        }
    };
    for (const tab of tabs) tab.addEventListener("click", () => select(tab));
    root.querySelector('[role="tablist"]').addEventListener("keydown", (event) => {
        const at = tabs.indexOf(event.target);
        const to = {
            ArrowRight: at + 1,
            ArrowLeft: at - 1 + tabs.length,
            Home: 0,
            End: tabs.length - 1,
        }[event.key];
        if (at < 0 || to === undefined) return;
        event.preventDefault();
        const tab = tabs[to % tabs.length];
        select(tab);
        tab.focus();
    });

    const copy = document.getElementById("copy");
    copy.addEventListener("click", async () => {
        const tab = tabs.find((tab) => tab.getAttribute("aria-selected") === "true");
        await copyText(panel(tab).textContent.trim());
        flash(copy, "Copied");
    });
    return showMatch;
}

/** Clipboards are for secure origins; elsewhere the text is selected and copied as of old. */
export async function copyText(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
}

export function flash(button, text) {
    const before = button.dataset.text ?? button.textContent;
    button.dataset.text = before;
    button.textContent = text;
    clearTimeout(Number(button.dataset.timer));
    button.dataset.timer = setTimeout(() => (button.textContent = before), 1600);
}
