// How each game looks in a replay: as on its own page. A stage has show(recording, {alpha, now,
// elapsed}): alpha is how far between the last two states, the others are ms as the picture goes;
// and forget(), where it compares pictures: what comes next is not what came after.
import { byId, setText } from "../../shared/dom.mjs";
import { Board } from "../tictactoe/board.mjs";
import { showHands } from "../rps/hands.mjs";
import { ArenaStage } from "./arena_stage.mjs";
import { DotsStage } from "./dots.mjs";
import { DuelStage } from "./duel_stage.mjs";
import { standing } from "./sentences.mjs";

/** Whose turn it is, or who won and why: the picture alone does not say it. */
function caption(recording, match) {
    const nameOf = (id) => recording.nameOf(id);
    setText(byId("caption"), standing(recording.game.name, match, nameOf));
}

class TictactoeStage {
    #board = new Board(byId("board"), byId("strike"), () => {});

    constructor() {
        byId("caption").hidden = false;
    }

    show(recording) {
        const { match } = recording.describe();
        caption(recording, match);
        this.#board.show({
            board: match.board.map((mark) => ["", "x", "o"].indexOf(mark)),
            own: undefined,
            isOwnTurn: false,
            line: match.ending === "line" ? match.line : null,
            last: match.moves_count ? match.moves[match.moves_count - 1] : -1,
        });
    }
}

class RpsStage {
    constructor() {
        byId("caption").hidden = false;
    }

    show(recording) {
        const { match } = recording.describe(); // who leaves loses, which the scene may not show
        const [, seen] = recording.scene;
        const seats = recording.seats();
        caption(recording, match);
        const model = {
            state: { ...recording.describe(seen), match },
            own: null,
            find: (id) => seats.find((seat) => seat.id === id) ?? { id, name: "—", bot: null },
        };
        showHands(byId("hands"), model, { isRevealing: true });
    }
}

const STAGES = {
    tictactoe: TictactoeStage,
    rps: RpsStage,
    duel: DuelStage,
    arena: ArenaStage,
};

/** `game` of the recording; its place in the page is made visible. */
export function makeStage(recording) {
    const { name } = recording.game;
    const place = document.querySelector(`[data-stage="${name}"]`) ?? byId("field");
    place.hidden = false;
    place.dataset.game = name;
    return new (STAGES[name] ?? DotsStage)(recording);
}
