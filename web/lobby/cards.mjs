// The games that one may play here. Some have a card with a picture in the page, any other gets one
// that says what the server says of it.
import { element } from "../shared/dom.mjs";

/** How many may play: "2 to 16 players". */
function seatsOf({ seats_min: least, seats_max: most }) {
    if (most === 1) return "For one player.";
    if (least === most) return `${most} players.`;
    return least === 1 ? `Up to ${most} players, who come and go.` : `${least} to ${most} players.`;
}

function makeCard(game) {
    const ways = [
        ["quick", "Quick play"],
        ["bot", game.seats_max === 2 ? "Against a bot" : "Against bots"],
        ["public", "New room"],
        ["friend", "Private link"],
    ];
    return element(
        "li",
        { class: "card game", "data-game": game.game },
        element("div", { class: "art letter", "aria-hidden": "true" }, [...game.title][0] ?? "?"),
        element("h2", {}, element("a", { "data-page": true }, game.title)),
        element("p", { class: "quiet" }, seatsOf(game)),
        element(
            "div",
            { class: "ways" },
            ways.map(([how, text]) => {
                const looks = how === "quick" ? "button primary" : "button";
                return element("a", { class: looks, "data-play": how }, text);
            }),
        ),
    );
}

/** `games` as in `lobby`, docs/games.md. Games without a card in the page stand first: they are
 * what the program is about. Returns whether cards are new. */
export function showGames(list, games) {
    const names = games.map(({ game }) => game).join();
    if (list.dataset.known === names) return false;
    list.dataset.known = names;
    const cards = [...list.children];
    for (const card of cards) card.hidden = !games.some(({ game }) => game === card.dataset.game);
    const unknown = games.filter(({ game }) => !cards.some((card) => card.dataset.game === game));
    list.prepend(...unknown.map(makeCard));
    return true;
}
