// Which server the page is for: its own, or the one that `?server=https://…` names.

export const parameters = new URLSearchParams(location.search);
const server = parameters.get("server");
export const origin = server ? new URL(server, location.href).origin : location.origin;

/** A link to a page of ours that goes on with the same server. */
export function pageLink(path, more = {}) {
    const link = new URL(path, location.href);
    for (const [name, value] of Object.entries(more)) link.searchParams.set(name, value);
    if (server) link.searchParams.set("server", server);
    return link.href;
}

/** Links to other pages of ours go on with the same server; the page's own is marked. */
export function linkPages(links = '.brand, nav[aria-label="Pages"] a') {
    for (const link of document.querySelectorAll(links)) {
        const isOwn = link.href === location.origin + location.pathname;
        if (isOwn && !link.matches(".brand")) link.ariaCurrent = "page";
        link.href = pageLink(link.href);
    }
}
