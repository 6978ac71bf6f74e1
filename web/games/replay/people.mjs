// The list of players, as it is at the tick that is shown: how the game has ended for them, who has
// left, for whom a bot plays. Where the picture follows somebody, a click on a name chooses whom.
import { byId, element, reconcile, setText } from "../../shared/dom.mjs";

function noteOf({ outcome, connected, stand_in: isPlayedByBot }) {
    if (outcome) return outcome;
    if (!connected) return "has left";
    return isPlayedByBot ? "a bot stands in" : "";
}

export class People {
    #list = byId("people");
    #following;
    #shown = ""; // what the list says

    /** `following` of the arena's stage; undefined: nobody is followed. */
    constructor(following) {
        this.#following = following;
        if (following) setText(byId("people-title"), "Players: whom to follow");
    }

    show(recording) {
        const chosen = this.#following?.chosen;
        const lines = recording.seats().map((seat) => ({
            ...{ seat: seat.seat, name: seat.name, isThere: seat.connected },
            ...{ note: noteOf(seat), isChosen: seat.connected && seat.seat === chosen },
        }));
        const said = JSON.stringify(lines);
        if (said === this.#shown) return;
        this.#shown = said;
        reconcile(this.#list, lines, {
            key: ({ seat, name }) => `${seat} ${name}`,
            make: (line) => this.#make(line, recording),
            update: (item, line) => this.#update(item, line),
        });
    }

    #make({ seat, name }, recording) {
        const words = [element("b", {}, name), " ", element("small")];
        if (!this.#following) return element("li", {}, words);
        const click = () => {
            this.#following.choose(seat);
            this.show(recording);
        };
        return element(
            "li",
            {},
            element("button", { type: "button", class: "plain", click }, words),
        );
    }

    #update(item, { note, isThere, isChosen }) {
        setText(item.querySelector("small"), note);
        const button = item.querySelector("button");
        if (!button) return;
        button.disabled = !isThere;
        button.ariaPressed = String(isChosen);
    }
}
