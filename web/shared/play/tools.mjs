// The tools of the stage, remembered: sound, net graph, full screen; their keys M, N, F.
import { byId } from "../dom.mjs";
import { isTyping } from "../held_keys.mjs";

export function startTools({ sound, netGraph }) {
    const tools = [
        toggle("tool-sound", "KeyM", sound),
        toggle("tool-net", "KeyN", netGraph),
        startFullScreen(),
    ];
    document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
        if (isTyping(event.target)) {
            if (event.code === "Escape") byId("canvas").focus({ preventScroll: true });
            return;
        }
        tools.find(({ code }) => code === event.code)?.act();
    });
}

function toggle(id, code, subject) {
    const button = byId(id);
    const show = () => button.setAttribute("aria-pressed", String(subject.on));
    const act = () => {
        subject.set(!subject.on);
        show();
    };
    button.addEventListener("click", act);
    show();
    return { code, act };
}

function startFullScreen() {
    const button = byId("tool-full");
    button.hidden = !document.fullscreenEnabled;
    const act = async () => {
        if (!document.fullscreenEnabled) return;
        if (document.fullscreenElement) await document.exitFullscreen();
        else await document.documentElement.requestFullscreen(); // with what is said over the page
    };
    button.addEventListener("click", act);
    document.addEventListener("fullscreenchange", () =>
        button.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement))),
    );
    return { code: "KeyF", act };
}
