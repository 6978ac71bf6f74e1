// Everybody's hand: a card, face down once chosen, turned over for all at once.
import { avatar } from "../../shared/avatar.mjs";
import { drawing, element, reconcile, setText } from "../../shared/dom.mjs";
import { kindGlyph, kindName } from "./kinds.mjs";

const MANY = 6; // from here on, cards are smaller
const CROWN = `<svg class="crown" viewBox="0 0 36 24" aria-hidden="true">
  <path d="M4 21 2 6 11 12 18 2 25 12 34 6 32 21Z"/></svg>`;

export function showHands(list, model, { isRevealing }) {
    const { players } = model.state;
    list.classList.toggle("many", players.length >= MANY);
    reconcile(list, players, {
        key: ({ id }) => `${id} ${model.find(id).name}`,
        make: (row) => makeHand(model.find(row.id), row.id === model.own?.id),
        update: (hand, row) => showHand(hand, row, model, isRevealing),
    });
}

function makeHand(player, isOwn) {
    const back = element("div", { class: "face back" }, element("span", { class: "dots" }));
    const palm = element(
        "div",
        { class: "palm", "aria-hidden": "true" },
        element("div", {}, back, element("div", { class: "face front" })),
    );
    const figure = avatar({ ...player, bot: player.bot !== null }, isOwn);
    const who = element(
        "div",
        { class: "who" },
        figure,
        element("span", {}, isOwn ? "You" : player.name),
    );
    const note = element("span", { class: "sr note" });
    return element(
        "li",
        { class: isOwn ? "hand own" : "hand" },
        palm,
        who,
        note,
        element("span", { class: "wins" }),
    );
}

function showHand(hand, row, model, isRevealing) {
    const { match, options } = model.state;
    const isChoosing = match.phase === "choosing";
    const isShown = isRevealing && row.shown > 0;
    const isReady = isChoosing && !isRevealing && row.playing === 1 && row.chosen === 1;
    const isOut = match.phase !== "waiting" && row.playing === 0;
    const palm = hand.querySelector(".palm");
    palm.classList.toggle("shown", isShown);
    palm.classList.toggle("ready", isReady);
    if (row.shown) showFace(hand.querySelector(".front"), row.shown - 1, options.kinds);
    hand.classList.toggle("out", isOut);
    const isWinner = match.phase === "over" && match.winner === row.id;
    hand.classList.toggle("winner", isWinner);
    const crown = hand.querySelector(".crown");
    if (isWinner && !crown) hand.prepend(drawing(CROWN));
    else if (!isWinner) crown?.remove();
    setText(hand.querySelector(".dots"), isOut ? "out" : isChoosing && !isReady ? "…" : "");
    setText(
        hand.querySelector(".note"),
        describe({ row, kinds: options.kinds, isShown, isReady, isOut, isWinner }),
    );
    setText(hand.querySelector(".wins"), row.wins ? `★ ${row.wins}` : "");
}

function showFace(face, choice, kinds) {
    const key = `${choice} ${kinds}`;
    if (face.dataset.choice === key) return;
    face.dataset.choice = key;
    face.replaceChildren(kindGlyph(choice, kinds));
}

function describe({ row, kinds, isShown, isReady, isOut, isWinner }) {
    const words = [];
    if (isShown) words.push(kindName(row.shown - 1, kinds));
    if (isReady) words.push("has chosen");
    if (isOut) words.push("out");
    if (isWinner) words.push("winner");
    return words.join(", ");
}
