// The page of a match, whatever the game: coming in (by link, quick play, against bots, with
// friends), who sits there, ready, start, rematch, kick, chat. The game's own view shows the
// state.
import { announce } from "./announce.mjs";
import { isAway } from "./banner.mjs";
import { Chat, isOwnLine } from "./chat.mjs";
import { pageLink, parameters } from "./server.mjs";
import { byId, element, setText } from "./dom.mjs";
import { startNameForm, tellName } from "./name.mjs";
import { showActions, showInvitation, showPeople } from "./people.mjs";
import { Question } from "./question.mjs";
import { remember, remembered } from "./remembered.mjs";
import { findReplay, replayLink } from "./replays.mjs";
import { claimSeat, dropSeat, keepSeat } from "./seat.mjs";
import { toast } from "./toast.mjs";
import { nameBots } from "./words.mjs";

/* As parts/coming.html found before anything was painted. */
const isComing = () => "coming" in document.documentElement.dataset;
const BEGUN_MS = 3000; // then the table is shown, whether the game has begun or not
const SOUGHT = "sought"; // of this tab: the match of quick play that has not begun
const WAYS = ["quick", "bot", "public", "friend"];

export class Table {
    #game;
    #view;
    #connection;
    #chat;
    #joined = null; // {match, seat, id, token, room, role}
    #match = null; // the newest `match`
    #state = null; // the newest `state`
    #people = new Map(); // id → name and seat of everybody who has ever sat here
    #entering = false;
    #awayWhy = ""; // what the start page says while there is no connection
    #leaving = new Question(
        byId("leave"),
        { words: "Leave a running game?", yes: "Yes, leave", no: "No, stay" },
        () => this.#leave(),
    );
    #owed = null; // the seat that was left while there was no connection
    #title = document.title; // of the start
    #winner = null; // of the game that is over
    #hasOffered = false; // what can be done after the end
    #onMatch = () => {};

    /**
     * `view`: {show(model), focus(), options(), field: where one plays, colourOf?(seat, own)};
     * `model` is what model() below returns. Games in real time have isTicked (their state comes
     * otherwise) and hear of entered() and left(), and of what somebody else writes, heard().
     * `connection`: connection.mjs's, or one with its methods.
     */
    constructor(game, view, connection) {
        this.#game = game;
        this.#view = view;
        this.#connection = connection;
        this.#chat = new Chat({
            send: (text) => this.ask("chat_message", { room: this.#joined.room, text }),
        });
        startNameForm(
            (name) => this.ask("name", { name }),
            () => (byId("table").hidden ? byId("name").blur() : this.#view.focus()),
        );
        document.querySelector(".skip").addEventListener("click", (event) => {
            event.preventDefault();
            if (byId("table").hidden) this.#focusStart();
            else this.#view.focus();
        });
        byId("start-form").addEventListener("submit", (event) => {
            event.preventDefault();
            this.enter(event.submitter?.value ?? "quick");
        });
        byId("leave").after(this.#leaving.box);
        byId("leave").addEventListener("click", () =>
            this.#givesUp() ? this.#leaving.ask() : this.#leave(),
        );
        if (isComing()) this.#show("table", true);
        const on = (event, handler) => this.#connection.on(event, handler);
        on("connect", () => this.#connected());
        on("connect_error", () => this.#offerWayOut());
        on("back", () => {
            tellName();
            if (!this.#joined) this.#connected(); // lost on the way in
        });
        on("joined", (joined) => this.#sit(joined));
        /* What is of a match that one has just left is on its way, too. */
        const isHere = ({ match }) => match === this.#joined?.match;
        on("match", (match) => isHere(match) && this.#update({ match }));
        on("state", (state) => this.#update({ state }));
        on("chat_message", (line) => this.#hear(line));
        const put = (content, why) => isHere(content) && this.#out(content.message || why);
        on("kicked", (kicked) => put(kicked, "The host has removed you from this match."));
        on("match_closed", (closed) => put(closed, "The match is over: nobody is left."));
    }

    ask(event, content) {
        return this.#connection.ask(event, content);
    }

    /** Sends; what is refused is shown. */
    async tell(event, content) {
        try {
            return await this.ask(event, content);
        } catch (error) {
            if (!this.#isToldElsewhere(error)) toast(error.message);
            return null;
        }
    }

    /** That the connection was lost is in the banner; what follows the way back or out says why. */
    #isToldElsewhere({ code }) {
        const isBetween = this.#entering || !this.#joined;
        return code === "lost" || (code === "not_in_match" && isBetween);
    }

    /** Goes the way: quick, bot, public, friend. Whoever is in a match stays where that fails. */
    enter(how) {
        const from = this.#joined;
        return this.#enter(async () => {
            try {
                await this.#begin(how);
            } catch (error) {
                if (!from || this.#joined !== from) throw error;
                toast(error.message);
            }
        });
    }

    #connected() {
        if (this.#awayWhy) byId("start-message").textContent = this.#awayWhy = "";
        if (this.#owed) this.ask("leave", this.#owed).catch(() => {}); // it may be gone by itself
        this.#owed = null;
        const match = this.#joined?.match ?? parameters.get("match");
        const how = WAYS.find((way) => way === parameters.get("play"));
        if (match) this.#enter(() => this.#come(match)).then(tellName);
        else if (how) this.#enter(() => this.#begin(how));
        else if (isComing()) this.#show("start");
        else document.body.dataset.ready = "yes";
    }

    /** On the way in by a link nobody need wait for a server that does not come. */
    #offerWayOut() {
        if (!isComing() || byId("give-up")) return;
        const attributes = { type: "button", id: "give-up", click: () => this.#giveUp() };
        byId("actions").append(element("button", attributes, "Back to the start"));
    }

    #giveUp() {
        byId("give-up").remove();
        this.#forgetWay();
        this.#show("start");
        this.#focusStart();
    }

    /** What the address says is done, or given up. */
    #forgetWay() {
        for (const name of ["match", "play", "as"]) parameters.delete(name);
        history.replaceState(null, "", parameters.size ? `?${parameters}` : location.pathname);
    }

    /** One way in at a time; says why it did not work. */
    async #enter(way) {
        if (this.#entering) return;
        this.#entering = true;
        byId("start-message").textContent = "";
        try {
            await way();
        } catch (error) {
            if (isAway(error)) this.#sayAway(error.message);
            else this.#out(error.message);
        } finally {
            this.#entering = false;
            this.#update({});
        }
    }

    /** Who is in a match, or on the way by a link, comes back by themselves: the banner says so. */
    #sayAway(why) {
        if (this.#joined || isComing()) return;
        byId("start-message").textContent = this.#awayWhy = why;
        announce(why);
    }

    /** Into a known match: to one's seat, else to a free one, else to watch. */
    async #come(match) {
        for (let seat; (seat = await claimSeat(match)); dropSeat()) {
            try {
                return await this.ask("reconnect", { match, token: seat.token });
            } catch (error) {
                if (error.code === "already_in_match") return null; // the connection was recovered
                if (isAway(error)) throw error;
            }
        }
        const wish = this.#joined?.role === "spectator" ? "spectator" : parameters.get("as");
        try {
            return await this.ask("join", { match, as: wish ?? "player" });
        } catch (error) {
            /* Who waited for an opponent waits on: quick play holds no seats before it begins. */
            if (
                error.code === "unknown_match" &&
                remembered(SOUGHT, null, "sessionStorage") === match
            )
                return this.#begin("quick");
            if (error.code !== "match_full" || wish === "spectator") throw error;
            const watching = await this.ask("join", { match, as: "spectator" });
            toast("All seats are taken: you are watching.");
            return watching;
        }
    }

    async #begin(how) {
        const { bots, level, options, start } = this.#view.options();
        if (how === "quick") return this.ask("quick_play", { game: this.#game, leave: true });
        const isPrivate = how !== "public";
        const room = { game: this.#game, options, private: isPrivate, leave: true };
        const created = await this.ask("create", start ? { ...room, start } : room);
        if (how !== "bot") return created;
        await Promise.all(Array.from({ length: bots }, () => this.ask("add_bot", { level })));
        if (this.#match?.phase === "waiting" && this.#match.start === "host")
            await this.ask("start_game");
        await this.#begun();
        return created;
    }

    /** What is asked for is answered before `match` says that it is so. */
    #begun() {
        return new Promise((resolve) => {
            this.#onMatch = () => this.#match && this.#match.phase !== "waiting" && resolve();
            this.#onMatch();
            setTimeout(resolve, BEGUN_MS);
        });
    }

    #sit(joined) {
        const isOther = joined.match !== this.#joined?.match;
        const isOtherRole = joined.role !== this.#joined?.role;
        this.#joined = joined;
        this.#winner = null;
        if (isOther) this.#match = this.#state = null;
        keepSeat(joined);
        for (const name of ["play", "as"]) parameters.delete(name);
        parameters.set("match", joined.match);
        history.replaceState(null, "", `?${parameters}`);
        this.#show("table");
        this.#showRole(joined.role);
        this.#view.entered?.();
        if (isOther) this.#chat.clear();
        if (isOther || isOtherRole)
            announce(joined.role === "player" ? "You have a seat." : "You are watching.");
    }

    /** Back to the start, with a word why, and the way to what was played. `isWished`: one left. */
    #out(why, isWished = false) {
        const match = this.#joined?.match ?? parameters.get("match");
        const isUnplayed = this.#match?.phase === "waiting";
        this.#joined = this.#match = this.#state = null;
        this.#showRole(null);
        this.#view.left?.();
        dropSeat();
        remember(SOUGHT, null, "sessionStorage");
        document.title = this.#title;
        this.#forgetWay();
        const hadFocus = byId("table").contains(document.activeElement);
        this.#show("start");
        const message = byId("start-message");
        message.textContent = why;
        if (!isWished) message.focus();
        else if (hadFocus) this.#focusStart();
        if (match && !isUnplayed) this.#offerReplay(match);
    }

    /** `view`: start or table. `isAhead`: one is not there yet. */
    #show(view, isAhead = false) {
        if (!isAhead) delete document.documentElement.dataset.coming;
        if (view === "start") document.body.dataset.ready = "yes";
        byId("start").hidden = view !== "start";
        byId("table").hidden = view !== "table";
        document.body.dataset.view = view;
    }

    /** Who watches is not told how to play, and has no seat to leave. */
    #showRole(role) {
        const watches = role === "spectator";
        this.#leaving.close();
        setText(byId("leave"), watches ? "Stop watching" : "Leave the table");
        const keys = byId("keys");
        if (!keys) return;
        if (!byId("watching")) {
            const attributes = { class: "keys quiet", id: "watching" };
            keys.after(element("p", attributes, "You are watching."));
        }
        keys.hidden = watches;
        byId("watching").hidden = !watches;
        for (const field of document.querySelectorAll('[aria-describedby="keys"], .watched')) {
            field.classList.toggle("watched", watches);
            field.setAttribute("aria-describedby", watches ? "watching" : "keys");
        }
    }

    #focusStart() {
        byId("start-form").querySelector("button").focus();
    }

    /** Only now: what was played is a secret as long as the match may go on. */
    async #offerReplay(match) {
        const { isThere, open } = await findReplay(match).catch(() => ({}));
        const message = byId("start-message");
        if (!(isThere || open) || this.#joined || message.querySelector("a")) return;
        const link = element("a", { href: replayLink(match) }, "Watch the replay");
        message.append(" ", link);
    }

    /** Others play on, or win by it. */
    #givesUp() {
        const { id, role } = this.#joined ?? {};
        if (role !== "player" || this.#match?.phase !== "playing") return false;
        return this.#match.seats.some((seat) => seat.bot === null && seat.id !== id);
    }

    async #leave() {
        const why = this.#match?.phase === "waiting" ? "" : "You have left.";
        const { match, token } = this.#joined ?? {};
        const leaving = this.ask("leave");
        if (this.#joined) this.#out(why, true); // whenever the server answers
        try {
            await leaving;
        } catch (error) {
            if (match && isAway(error)) this.#owed = token ? { match, token } : { match };
        }
    }

    #hear(line) {
        if (!this.#joined || line.room !== this.#joined.room) return;
        const isOwn = isOwnLine(line, this.#connection.id);
        const isHistory = this.#match?.match !== this.#joined.match; // it comes before `match`
        const isNew = this.#chat.add(line, isOwn);
        if (!isNew || isHistory || isOwn) return;
        announce(`${line.from.name}: ${line.text}`);
        this.#view.heard?.();
    }

    #update({ match, state }) {
        if (match) this.#meet({ ...match, seats: nameBots(match.seats, match.seats_max) });
        this.#onMatch();
        if (state) this.#state = { ...this.#withWinner(state), at: performance.now() };
        if (!this.#joined || !this.#match || !(this.#state || this.#view.isTicked)) return;
        if (this.#entering) return; // bots may be on their way
        const model = this.#model();
        const act = (event, content) => this.#act(event, content);
        showPeople(model, act);
        showActions(model, act);
        showInvitation(model, pageLink("./", { match: this.#joined.match }));
        this.#view.show(model);
        document.body.dataset.phase = model.phase;
        this.#offerNext(model);
    }

    /** Who has won has so when it has left, too, though the state names it by its seat. */
    #withWinner(state) {
        const table = state.state?.match;
        if (table?.phase !== "over") this.#winner = null;
        else table.winner = this.#winner ??= table.winner;
        return state;
    }

    /** After the end the focus is on what can be done next, for who was in the game. The button
     * comes with `match`, before or after the state that says how it ended. */
    #offerNext({ phase }) {
        if (phase !== "over") this.#hasOffered = false;
        const next = byId("action-rematch");
        if (phase !== "over" || this.#hasOffered || !next) return;
        this.#hasOffered = true;
        const { activeElement } = document;
        const isPlaying = [document.body, byId("status")].includes(activeElement);
        if (isPlaying || this.#view.field?.contains(activeElement)) next.focus();
    }

    async #act(event, content) {
        const hadFocus = byId("actions").contains(document.activeElement);
        if (event === "sit") await this.#takeSeat();
        else if (event === "quick") await this.enter("quick");
        else await this.tell(event, content);
        if (hadFocus && event !== "ready" && event !== "add_bot") this.#view.focus();
    }

    /** From among the spectators: who left first might close a match that nobody else is in. */
    async #takeSeat() {
        await this.tell("join", { match: this.#joined.match });
        this.#update({});
    }

    /** Who comes and goes, and wants another game, is told in the chat. */
    #meet(match) {
        const before = this.#match;
        this.#match = match;
        const seeks = match.matchmaking && match.matchmaking !== "started";
        remember(SOUGHT, seeks ? match.match : null, "sessionStorage");
        for (const seat of match.seats) {
            const was = before?.seats.find(({ id }) => id === seat.id);
            if (before && !was && seat.bot === null && seat.id !== this.#joined?.id)
                this.#note(`${seat.name} sits down.`);
            if (was?.connected && !seat.connected) this.#note(`${seat.name} lost the connection.`);
            if (was && !was.connected && seat.connected) this.#note(`${seat.name} is back.`);
            if (was && !was.stand_in && seat.stand_in) this.#note(`A bot plays for ${seat.name}.`);
            if (was && !was.rematch && seat.rematch && seat.bot === null)
                this.#note(`${seat.name} wants a rematch.`);
            this.#people.set(seat.id, seat);
        }
        for (const { id, name } of before?.seats ?? []) {
            if (!match.seats.some((seat) => seat.id === id)) this.#note(`${name} has left.`);
        }
    }

    #note(text) {
        this.#chat.note(text);
        announce(text);
    }

    #model() {
        const { seats, host, phase } = this.#match;
        const own = seats.find(({ id }) => id === this.#joined.id) ?? null;
        return {
            ...this.#match, // docs/games.md: `match`
            own, // one's own entry of `seats`, or null for a spectator
            isHost: own !== null && own.seat === host,
            phase,
            colourOf: this.#view.colourOf, // of a seat, as the game's picture has it; or none
            state: this.#state?.state ?? null, // the game's tables
            number: this.#state?.number ?? 0,
            endsAt: this.#state?.left_ms == null ? null : this.#state.at + this.#state.left_ms,
            find: (id) => this.#people.get(id) ?? { id, name: "Somebody", seat: null, bot: null },
        };
    }
}
