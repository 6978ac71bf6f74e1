import { element } from "./dom.mjs";

/** What is asked for without a connection is refused at once, and not done later. */
export const UNREACHABLE = {
    code: "unreachable",
    message: "There is no connection to the server.",
};

/** Codes of what failed for want of a connection. */
export const isAway = ({ code }) => code === "lost" || code === "unreachable";

/**
 * A line over the page while there is no connection; returns what shows it ("": nothing). The
 * browser knows that it is offline long before a connection is known to be lost.
 */
export function startBanner() {
    const banner = element("p", { class: "connection", role: "status", hidden: true });
    document.body.append(banner);
    let said = "";
    let isOffline = false;
    const show = () => {
        banner.textContent = isOffline ? "You are offline." : said;
        banner.hidden = !banner.textContent;
    };
    for (const event of ["offline", "online"])
        addEventListener(event, () => {
            isOffline = event === "offline";
            show();
        });
    return (text) => {
        said = text;
        show();
    };
}
