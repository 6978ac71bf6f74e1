// The client's half of examples/collab.c: a text confirmed by the server, and edits of one's
// own that are not yet. Knows neither page nor network.
//
//     confirmed ──pending[0]──▶ ──pending[1]──▶ … local, what the user sees
//
// The first pending edit is on its way to the server, the others follow one by one. An edit is
// {at, remove, insert}; positions count Unicode code points, so texts are held as arrays of these.

/** Moves an edit over one that came first; as `rebase` in collab.c. */
export function rebase(edit, over) {
    let start = edit.at;
    let end = edit.at + edit.remove;
    const overEnd = over.at + over.remove;
    const inserted = [...over.insert].length;
    if (edit.at >= overEnd) start += inserted - over.remove;
    else if (edit.at > over.at) start = over.at + inserted;
    if (end > overEnd) end += inserted - over.remove;
    else if (end > over.at) end = over.at;
    return { ...edit, at: start, remove: Math.max(end - start, 0) };
}

/** The text after the edit. */
export function apply(characters, edit) {
    return [
        ...characters.slice(0, edit.at),
        ...edit.insert,
        ...characters.slice(edit.at + edit.remove),
    ];
}

/** The edit that makes `to` of `from`; null if they are the same. */
export function difference(from, to) {
    let start = 0;
    let end = 0;
    while (start < from.length && start < to.length && from[start] === to[start]) start++;
    const rest = Math.min(from.length, to.length) - start;
    while (end < rest && from[from.length - 1 - end] === to[to.length - 1 - end]) end++;
    if (start + end === from.length && from.length === to.length) return null;
    return {
        at: start,
        remove: from.length - start - end,
        insert: to.slice(start, to.length - end).join(""),
    };
}

export class SharedText {
    #send;
    #version = 0;
    #confirmed = [];
    #pending = [];
    #local = [];
    #number = 0; // of the last edit that was sent

    /** @param send called with each edit for the server: {number, version, at, remove, insert} */
    constructor(send) {
        this.#send = send;
    }

    get text() {
        return this.#local.join("");
    }

    /** The version that all of this text has, or null while something is unconfirmed. */
    get settledVersion() {
        return this.#pending.length ? null : this.#version;
    }

    /** The server's whole text: what was unconfirmed is given up. */
    reset({ version, text }) {
        this.#version = version;
        this.#confirmed = this.#local = [...text];
        this.#pending = [];
    }

    /** The user made this of the text. */
    edit(text) {
        const characters = [...text];
        const edit = difference(this.#local, characters);
        if (!edit) return;
        this.#local = characters;
        const last = this.#pending.at(-1);
        const isTyping =
            this.#pending.length > 1 &&
            !edit.remove &&
            edit.at === last.at + [...last.insert].length;
        if (isTyping) last.insert += edit.insert;
        else this.#pending.push(edit);
        if (this.#pending.length === 1) this.#sendFirst();
    }

    /** An edit from the server, one's own included. */
    receive(edit, isOwn) {
        const before = this.#confirmed;
        this.#confirmed = apply(before, edit);
        this.#version = edit.version;
        if (isOwn && edit.number === this.#number && this.#pending.length) {
            this.#pending.shift();
            if (this.#pending.length) this.#sendFirst();
        } else {
            this.#movePending(edit, before);
        }
        this.#local = this.#pending.reduce(apply, this.#confirmed);
    }

    /** The first moves over the edit, as it will at the server; the next over what that changes. */
    #movePending(edit, before) {
        let after = this.#confirmed;
        let over = edit;
        for (const [i, own] of this.#pending.entries()) {
            const moved = over ? rebase(own, over) : own;
            before = apply(before, own);
            after = apply(after, moved);
            over = difference(before, after);
            this.#pending[i] = moved;
        }
    }

    /** After a reconnection that lost nothing from the server: it may lack what was on its way. */
    resend() {
        if (this.#pending.length)
            this.#send({ ...this.#pending[0], number: this.#number, version: this.#version });
    }

    #sendFirst() {
        this.#number++;
        this.resend();
    }
}
