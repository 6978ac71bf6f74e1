// A page that plays in real time, whatever the game: the table around it, the match or practice
// that drives it, the frames. The game's own files read keys, paint and say what happens.
import { loadRules } from "@fray/client";
import { onAway } from "../away.mjs";
import { origin } from "../server.mjs";
import { byId, element } from "../dom.mjs";
import { isTyping } from "../held_keys.mjs";
import { ownName } from "../name.mjs";
import { showPeople } from "../people.mjs";
import { Table } from "../table.mjs";
import { toast } from "../toast.mjs";
import { Curtain } from "./curtain.mjs";
import { GamesConnection } from "./games_connection.mjs";
import { giveKeyboardBack, startEnd } from "./keyboard.mjs";
import { Lab } from "./lab.mjs";
import { Lonely } from "./lonely.mjs";
import { NetGraph } from "./net_graph.mjs";
import { readOptions, showOptions } from "./options_form.mjs";
import { Practice } from "./practice.mjs";
import { startSheet } from "./sheet.mjs";
import { everyFrame } from "./surface.mjs";
import { startThumbs } from "./thumbs.mjs";
import { startTools } from "./tools.mjs";

export class Play {
    model = null; // of table.mjs: who is there
    #game;
    #connection;
    #table;
    #driver = null; // the SDK's match, or practice: seat, setInput, frame, stats
    #curtain;
    #lonely = new Lonely(() => this.addBots(1));
    #netGraph = new NetGraph();
    #rulesUrl;
    #sheet;
    #offerNext;
    #showThumbs;

    /**
     * `game`: {name, netcode: options of the SDK, steps, thumbs: what they do, optionWords,
     * colourOf?(seat, own): in the list of players, table(): bots, level and so on,
     * isAlone(model), begin(), paint(frame, {now, elapsed, seat, model}), input(now), idle: input
     * of who does nothing, release(): keys and thumbs, say(model, waiting), onEvent(event)}
     */
    constructor(game, sound) {
        this.#game = game;
        this.#rulesUrl = `${origin}/games/${game.name}.wasm`;
        loadRules(this.#rulesUrl).catch(() => {}); // so that practice needs no server any more
        this.#curtain = new Curtain(game.steps);
        startTools({ sound, netGraph: this.#netGraph });
        giveKeyboardBack(byId("table"), byId("canvas"));
        this.#offerNext = startEnd(byId("curtain"), byId("canvas"));
        this.#showThumbs = startThumbs(byId("screen"), byId("canvas"), game.thumbs);
        this.#sheet = startSheet(byId("canvas"), () => this.#letGo());
        this.#connection = new GamesConnection(ownName, game.netcode);
        this.#connection.on("matchmaking", (step) => this.#lonely.hear(step));
        this.#connection.on("lobby", (lobby) => this.#hearLobby(lobby));
        const lab = new Lab(byId("net-graph"), (...message) => this.#connection.ask(...message));
        for (const event of ["connect", "back"])
            this.#connection.on(event, () => {
                this.#watchLobby();
                lab.connected();
            });
        byId("leave").addEventListener("click", (event) => {
            if (document.body.dataset.mode !== "practice") return;
            event.stopImmediatePropagation(); // no table to leave
            this.#endPractice();
        });
        this.#table = new Table(game.name, this.#view(), this.#connection);
        byId("practice").addEventListener("click", () => this.#practise());
        byId("more-actions").addEventListener("click", () =>
            byId("canvas").focus({ preventScroll: true }),
        );
        onAway(() => this.#letGo());
        document.addEventListener("focusin", ({ target }) => isTyping(target) && this.#letGo());
        everyFrame((now, elapsed) => this.#frame(now, elapsed));
    }

    #view() {
        return {
            isTicked: true,
            colourOf: this.#game.colourOf,
            show: (model) => {
                this.model = model;
                this.#offerSeat();
            },
            focus: () => byId("canvas").focus({ preventScroll: true }),
            options: () => ({ ...this.#game.table(), options: readOptions() }),
            entered: () => this.#enter(),
            left: () => this.#leave(),
            heard: () => this.#sheet.heard(),
        };
    }

    #enter() {
        const { current } = this.#connection;
        const isOther = current.id !== this.#driver?.id; // not another seat in the same
        this.#leave();
        delete document.body.dataset.mode; // practice, where the answer took long
        if (isOther) this.#lonely.begin();
        this.#drive(current);
    }

    #drive(driver) {
        this.#driver = byId("canvas").play = driver; // the latter for tests and the curious
        driver.on("event", (event) => this.#game.onEvent?.(event));
        this.#game.begin();
        byId("canvas").focus({ preventScroll: true });
    }

    /** No frame may come any more to tell that nothing is held. */
    #letGo() {
        const driver = this.#driver;
        this.#game.release();
        if (!driver || driver.seat === null) return;
        driver.setInput(this.#game.idle);
        if (document.hidden) driver.frame(performance.now()); // which sends it
    }

    #leave() {
        this.#driver = this.model = null;
        this.#sheet.close();
        for (const actions of ["actions", "more-actions"]) byId(actions).replaceChildren();
        byId("other-match")?.remove();
    }

    /* ---- practice: no server */

    async #practise() {
        const { bots, level } = this.#game.table();
        const options = readOptions();
        let driver;
        try {
            driver = await Practice.start(this.#rulesUrl, { bots, level, options });
        } catch (error) {
            toast(`Practice needs the rules: ${error.message}`);
            return;
        }
        if (this.#connection.current) return; // a match was joined meanwhile
        document.body.dataset.mode = "practice";
        document.body.dataset.view = "table";
        byId("start").hidden = true;
        byId("table").hidden = false;
        this.model = practiceModel(driver, this.#game);
        const attributes = { type: "button", class: "primary", id: "again" };
        byId("more-actions").replaceChildren(
            element("button", { ...attributes, click: () => this.#again() }, "Again"),
        );
        showPeople(this.model, () => {});
        this.#drive(driver);
    }

    #again() {
        if (this.#game.rematchInput) this.#driver.setInput(this.#game.rematchInput);
        else this.#practise();
    }

    #endPractice() {
        this.#leave();
        delete document.body.dataset.mode;
        document.body.dataset.view = "start";
        byId("start").hidden = false;
        byId("table").hidden = true;
        byId("practice").focus();
    }

    /* ---- the lobby's news: options of a new room, who is online */

    async #watchLobby() {
        try {
            this.#hearLobby(await this.#connection.ask("lobby", { watch: true }));
        } catch {
            // no matter: how many are online is not shown then
        }
    }

    #hearLobby({ online, games }) {
        this.#lonely.online = online;
        const own = games.find(({ game }) => game === this.#game.name);
        if (own && byId("options-box").hidden) showOptions(own.options, this.#game.optionWords);
    }

    async addBots(count) {
        const { level } = this.#game.table();
        const adding = () => this.#table.tell("add_bot", { level });
        await Promise.all(Array.from({ length: count }, adding));
    }

    /** Who watches because it was full may look for another match. */
    #offerSeat() {
        const { own, seats, seats_max: max } = this.model;
        const has = byId("other-match");
        if (own || seats.length < max) return has?.remove();
        if (has) return undefined;
        const seek = () => this.#table.enter("quick");
        const attributes = { type: "button", id: "other-match", click: seek };
        return byId("below-actions").append(element("button", attributes, "Find another opponent"));
    }

    #frame(now, elapsed) {
        const driver = this.#driver;
        const { model } = this;
        const raw = driver && model ? driver.frame(now) : null;
        const frame = raw?.ready ? raw : null;
        const seat = driver?.seat ?? null;
        if (document.body.dataset.view !== "table") return;
        this.#game.paint(frame, { now, elapsed, seat, model });
        if (frame && seat !== null) driver.setInput(this.#game.input(now));
        const isAlone = model && Boolean(model.own && model.isHost && this.#game.isAlone(model));
        const waiting = this.#lonely.update(isAlone, now);
        const said = this.#game.say(model, waiting);
        this.#curtain.show(said);
        this.#offerNext(Boolean(said.isEnd), now);
        byId("lagging").hidden = !frame?.lagging;
        this.#showThumbs(frame !== null && seat !== null);
        this.#netGraph.update(driver?.stats ?? {}, now);
    }
}

/** As table.mjs's model, of a table that is only in this page. */
function practiceModel({ roster, game }, { name, colourOf }) {
    const seats = roster.map(({ seat, bot }) => ({
        seat,
        id: `practice-${seat}`,
        name: bot === null ? ownName() : seat === 1 && game.seats_max === 2 ? "Bot" : `Bot ${seat}`,
        bot,
        connected: true,
        stand_in: false,
    }));
    return {
        game: name,
        phase: "playing",
        seats,
        seats_max: game.seats_max,
        bot_levels: game.bot_levels,
        own: seats[0],
        isHost: false,
        colourOf,
        spectators: 0,
    };
}
