// A game without ticks in the playground: it goes on by its players' moves, and its state comes as
// JSON.
import { announce, sentence } from "../../shared/announce.mjs";
import { Connection } from "../../shared/connection.mjs";
import { byId, setText } from "../../shared/dom.mjs";
import { ownName } from "../../shared/name.mjs";
import { readOptions, showOptions } from "../../shared/play/options_form.mjs";
import { Table } from "../../shared/table.mjs";
import { addHappened, clearHappened } from "./happened.mjs";
import { makeMoves, showMoves } from "./moves.mjs";
import { showTables } from "./tables.mjs";
import { titleOf } from "./words.mjs";

export function startTurns(game) {
    byId("turns").append(byId("turns-stage").content);
    byId("turns").hidden = false;
    showOptions(game.options, Object.fromEntries(game.options.map(wordsOf)));

    const connection = new Connection(ownName);
    let model = null;
    let results = null; // of the game that has just ended
    let shown = null; // the match
    const nameOf = (id) => (id === null ? "nobody" : (model?.find(id).name ?? id));

    for (const kind of game.events)
        connection.on(kind.name, (args) => {
            if (kind.name === "end_game") results = args.results ?? null;
            else if (kind.name === "start_game") results = null;
            addHappened(kind, args, nameOf);
        });

    function show(newest) {
        model = newest;
        if (model.match !== shown) clearHappened();
        if (model.phase !== "over") results = null;
        shown = model.match;
        const own = model.own?.id ?? null;
        showMoves(model);
        if (model.state) showTables(byId("state"), game, model.state, { nameOf, own });
        const { title, mood } = titleOf(model, results, game);
        const isNew = byId("status").textContent !== title;
        setText(byId("status"), title);
        byId("status").className = `status ${mood}`.trim();
        document.title = `${title} · ${game.title}`;
        if (isNew) announce(sentence(title));
    }

    const table = new Table(
        game.name,
        {
            show,
            field: byId("moves"),
            focus: () => byId("moves").querySelector("button, input, select")?.focus(),
            options: () => ({
                bots: Number(byId("bots").value),
                level: Number(byId("level").value),
                options: readOptions(),
            }),
        },
        connection,
    );
    makeMoves(game, (name, content) => table.tell(name, content));
}

function wordsOf({ name, summary }) {
    return [name, `${name.replaceAll("_", " ")}: ${summary}`];
}
