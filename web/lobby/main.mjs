// The lobby: who is online, which rooms are open, ways into a game, and a word with everybody.
import { announce } from "../shared/announce.mjs";
import { avatar } from "../shared/avatar.mjs";
import { Chat, isOwnLine } from "../shared/chat.mjs";
import { Connection } from "../shared/connection.mjs";
import { byId, element, reconcile, setText } from "../shared/dom.mjs";
import { ownName, startNameForm } from "../shared/name.mjs";
import { hasSeat } from "../shared/seat.mjs";
import { pageLink } from "../shared/server.mjs";
import { toast } from "../shared/toast.mjs";
import { kindGlyph } from "../games/rps/kinds.mjs";
import { showGames } from "./cards.mjs";

const PHASES = { waiting: "waiting", playing: "playing", over: "between games" };
const connection = new Connection(ownName);
const chat = new Chat({ send: (text) => connection.ask("chat_message", { text }) });
let titles = new Map(); // game → title

const gamePage = (game, more) => pageLink(`../games/${game}/`, more);

startNameForm((name) => connection.ask("name", { name }));

for (const end of ["connect_error", "disconnect"]) connection.on(end, showNoConnection);
connection.on("connect", async () => {
    try {
        show(await connection.ask("lobby", { watch: true }));
        document.body.dataset.ready = "yes";
    } catch (error) {
        if (error.code !== "lost") toast(error.message);
    }
});
connection.on("lobby", show);
connection.on("chat_message", (line) => {
    if (line.room) return;
    const isOwn = isOwnLine(line, connection.id);
    const isNew = chat.add(line, isOwn) && document.body.dataset.ready === "yes"; // no history
    if (isNew && !isOwn) announce(`${line.from.name}: ${line.text}`);
});

byId("hands").append(...[0, 1, 2].map((choice) => kindGlyph(choice, 3)));
byId("kinds").addEventListener("change", linkGames);
linkGames();

function linkGames() {
    for (const link of document.querySelectorAll("[data-page]"))
        link.href = gamePage(link.closest("[data-game]").dataset.game);
    for (const link of document.querySelectorAll("[data-play]")) {
        const { game } = link.closest("[data-game]").dataset;
        const how = link.dataset.play;
        const kinds = game === "rps" && how !== "quick" ? { kinds: byId("kinds").value } : {};
        link.href = gamePage(game, { play: how, ...kinds });
    }
}

/** What is known of games, rooms and people is of before, or nothing yet. */
function showNoConnection() {
    document.body.dataset.connection = "none";
    const isKnown = byId("games").dataset.known !== "no";
    const why = isKnown ? "what you see is of before" : "the games are shown once it is there";
    setText(byId("count"), `No connection to the server: ${why}.`);
}

function show({ online, players, matches, games }) {
    document.body.dataset.connection = "there";
    titles = new Map(games.map(({ game, title }) => [game, title]));
    if (showGames(byId("games"), games)) linkGames();
    setText(
        byId("count"),
        online === 1 ? "You are the first one here." : `${online} people are online.`,
    );
    showRooms(matches);
    showOnline(players, matches);
}

function showRooms(matches) {
    const rooms = [...matches].sort((a, b) => b.open - a.open);
    byId("no-rooms").hidden = rooms.length > 0;
    reconcile(byId("rooms"), rooms, {
        key: ({ match }) => match,
        make: ({ host }) => {
            const words = element("div", { class: "words" }, element("b"), element("small"));
            return element(
                "li",
                { class: "card room" },
                avatar({ seat: hash(host) }, false),
                words,
                element("a", { class: "button" }),
            );
        },
        update: showRoom,
    });
}

function showRoom(line, room) {
    const title = titles.get(room.game) ?? room.game;
    setText(line.querySelector("b"), `${room.host ?? "Nobody"}’s room`);
    const seats = `${room.players}/${room.seats_max}`;
    const watching = room.spectators ? ` · ${room.spectators} watching` : "";
    const words = `${title} · ${seats} · ${PHASES[room.phase]}${watching}`;
    setText(line.querySelector("small"), words);
    const link = line.querySelector("a");
    const isOwn = hasSeat(room.match);
    const what = isOwn ? "Return" : room.open ? "Join" : "Watch";
    setText(link, what);
    link.setAttribute("aria-label", `${isOwn ? "Return to" : what} ${room.host}, ${title}`);
    link.classList.toggle("primary", isOwn || room.open);
    link.href = gamePage(room.game, {
        match: room.match,
        ...(what === "Watch" ? { as: "spectator" } : {}),
    });
}

function showOnline(players, matches) {
    const games = new Map(matches.map(({ match, game }) => [match, game]));
    const isOwn = ({ id }) => id === connection.id;
    reconcile(
        byId("online"),
        [...players].sort((a, b) => isOwn(b) - isOwn(a)),
        {
            key: ({ id, name }) => `${id} ${name}`,
            make: (player) =>
                element(
                    "li",
                    {},
                    avatar({ seat: hash(player.name) }, isOwn(player)),
                    element("span", { class: "who" }, player.name),
                    element("small"),
                ),
            update: (line, player) => {
                const game = titles.get(games.get(player.match));
                setText(line.querySelector("small"), isOwn(player) ? "you" : (game ?? ""));
            },
        },
    );
}

/** A number that stays with a name, for its colour. */
function hash(name) {
    let sum = 0;
    for (const char of name ?? "") sum = (sum * 31 + char.codePointAt(0)) >>> 0;
    return sum;
}
