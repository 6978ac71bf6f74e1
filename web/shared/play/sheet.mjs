// The stage alone on the screen: in full screen, and on a phone that lies. What is beside it
// otherwise, tools, people, chat and the ways out, is then in a sheet that the menu button opens.
import { byId, setText } from "../dom.mjs";

const LYING = "(max-height: 30rem) and (orientation: landscape)";

/**
 * `opened()`: the game has no keys for a while. Returns close(), and heard(): somebody has written,
 * which the menu button shows until it is opened.
 */
export function startSheet(canvas, opened) {
    const sheet = byId("sheet");
    const menu = byId("menu");
    const lying = matchMedia(LYING);
    const isOpen = () => document.body.dataset.sheet === "open";

    function set(open) {
        if (open === isOpen()) return;
        document.body.dataset.sheet = open ? "open" : "closed";
        menu.setAttribute("aria-expanded", String(open));
        if (open) {
            opened();
            byId("back").focus();
            if (menu.dataset.news === "yes") byId("chat-form").scrollIntoView({ block: "end" });
            news(false);
        } else canvas.focus({ preventScroll: true });
    }

    function news(isThere) {
        menu.dataset.news = isThere ? "yes" : "no";
        setText(menu.querySelector(".sr"), isThere ? "Menu, a new message" : "Menu");
    }

    function arrange() {
        const isWhole = lying.matches || Boolean(document.fullscreenElement);
        document.body.dataset.stage = isWhole ? "whole" : "framed";
        sheet.role = isWhole ? "dialog" : null;
        sheet.ariaLabel = isWhole ? "Menu" : null;
        if (!isWhole) news(false); // the chat is beside the stage
        set(false);
    }

    menu.addEventListener("click", () => set(true));
    byId("back").addEventListener("click", () => set(false));
    document.addEventListener("keydown", ({ key }) => key === "Escape" && set(false));
    document.addEventListener(
        "pointerdown",
        (event) => {
            if (!isOpen() || sheet.contains(event.target)) return;
            event.stopPropagation(); // not a shot
            set(false);
        },
        { capture: true },
    );
    lying.addEventListener("change", arrange);
    document.addEventListener("fullscreenchange", arrange);
    arrange();
    return {
        close: () => set(false),
        heard: () => document.body.dataset.stage === "whole" && !isOpen() && news(true),
    };
}
