import { element } from "./dom.mjs";

/** A line over the page while there is no connection; returns what shows it ("": nothing). */
export function startBanner() {
    const banner = element("p", { class: "connection", role: "status", hidden: true });
    document.body.append(banner);
    return (text) => {
        banner.textContent = text;
        banner.hidden = !text;
    };
}
