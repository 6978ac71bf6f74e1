// The client's half of examples/collab.c: a text that is confirmed by the server, and edits of one's own
// that are not yet. Knows neither page nor network.
//
//     confirmed ──inFlight──▶ (what the server will have) ──waiting──▶ local, what the user sees
//
// One edit at a time is in flight; what is typed meanwhile waits and goes as one edit afterwards. An edit
// is {at, remove, insert}; positions count Unicode code points, so texts are held as arrays of these.

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
  return [...characters.slice(0, edit.at), ...edit.insert, ...characters.slice(edit.at + edit.remove)];
}

/** The edit that makes `to` of `from`; null if they are the same. */
export function difference(from, to) {
  let start = 0;
  let end = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start++;
  const rest = Math.min(from.length, to.length) - start;
  while (end < rest && from[from.length - 1 - end] === to[to.length - 1 - end]) end++;
  if (start + end === from.length && from.length === to.length) return null;
  return { at: start, remove: from.length - start - end, insert: to.slice(start, to.length - end).join('') };
}

export class SharedText {
  #send;
  #confirmed = [];
  #version = 0;
  #inFlight = null;
  #local = [];
  #number = 0;

  /** @param send called with each edit for the server: {number, version, at, remove, insert} */
  constructor(send) {
    this.#send = send;
  }

  get text() {
    return this.#local.join('');
  }

  /** The version that all of this text has, or null while something is unconfirmed. */
  get settledVersion() {
    return this.#inFlight ? null : this.#version;
  }

  /** The server's whole text: what was unconfirmed is given up. */
  reset({ version, text }) {
    this.#version = version;
    this.#confirmed = this.#local = [...text];
    this.#inFlight = null;
  }

  /** The user made this of the text. */
  edit(text) {
    this.#local = [...text];
    this.#flush();
  }

  /** An edit from the server, one's own included. */
  receive(edit, isOwn) {
    const awaited = isOwn && this.#inFlight?.number === edit.number;
    const expected = this.#inFlight ? apply(this.#confirmed, this.#inFlight) : this.#confirmed;
    let waiting = difference(expected, this.#local);
    this.#confirmed = apply(this.#confirmed, edit);
    this.#version = edit.version;
    if (awaited) {
      this.#inFlight = null;
    } else {
      const seen = this.#inFlight ? rebase(edit, this.#inFlight) : edit;
      if (this.#inFlight) this.#inFlight = rebase(this.#inFlight, edit);
      if (waiting) waiting = rebase(waiting, seen);
    }
    this.#local = this.#inFlight ? apply(this.#confirmed, this.#inFlight) : this.#confirmed;
    if (waiting) this.#local = apply(this.#local, waiting);
    this.#flush();
  }

  /** After a reconnection that lost nothing from the server: it may lack what was in flight. */
  resend() {
    if (this.#inFlight) this.#send({ ...this.#inFlight, version: this.#version });
  }

  #flush() {
    if (this.#inFlight) return;
    const edit = difference(this.#confirmed, this.#local);
    if (!edit) return;
    this.#inFlight = { number: ++this.#number, ...edit };
    this.#send({ ...this.#inFlight, version: this.#version });
  }
}
