// The choices of rock-paper-scissors with any odd number of them, in the order of the ring
// (games/rps/rps.h): each beats the (kinds - 1) / 2 before it and loses to as many after it.
import { drawing } from "../../shared/dom.mjs";

const NAMED = {
    3: ["rock", "paper", "scissors"],
    5: ["rock", "Spock", "paper", "lizard", "scissors"],
    7: ["rock", "water", "air", "paper", "sponge", "scissors", "fire"],
};

const GLYPHS = {
    rock: `<path d="M9 33 6 23 14 11 27 8 40 16 42 30 33 40 17 40Z"/>
    <path class="cut" d="M14 11 21 22 40 16M21 22 17 40M21 22 33 29 42 30M33 29 33 40"/>`,
    paper: `<path d="M11 6H29L38 15V42H11Z"/>
        <path class="cut" d="M29 6V15H38M17 22H32M17 28H32M17 34H27"/>`,
    scissors: `<path class="line" d="M15 8 31 34M33 8 17 34"/>
    <circle class="line" cx="13.5" cy="37" r="4.6"/>
        <circle class="line" cx="34.5" cy="37" r="4.6"/>`,
    Spock: `<path d="M12 44V30L4 24Q3 20 7 21L13 25V9Q13 6 15.5 6T18 9V20L19.5 5Q20 3 22 3T24.2
    5.5L23.5 21 29 6Q30 4 32 4.6T33.6 7.5L
        30.5 21 35 10Q36 8 38 8.8T39.4 11.5L35 26V33Q34 39 32 44Z"/>`,
    lizard: `<path d="M5 24Q9 12 24 12 39 12 43 21L31 25 43 29Q40 37 27 37H14Q5 34 5 24Z"/>
    <circle class="hole" cx="25" cy="19.5" r="2.7"/>`,
    water: `<path d="M24 4Q38 21 38 30A14 14 0 0 1 10 30Q10 21 24 4Z"/>
    <path class="cut" d="M16 30Q17 37 24 38"/>`,
    air: `<path class="line" d="M5 18H28A6 6 0 1 0 22 12M5 26H37A6 6 0 1 1 31 33
        M5 34H21A4.5 4.5 0 1 1 17
    39"/>`,
    sponge: `<rect x="6" y="12" width="36" height="26" rx="7"/>
        <circle class="hole" cx="15" cy="20" r="3"/>
    <circle class="hole" cx="27" cy="18" r="2.2"/><circle class="hole" cx="34" cy="25" r="3.3"/>
    <circle class="hole" cx="22" cy="28" r="3.5"/><circle class="hole" cx="13" cy="31" r="2"/>
    <circle class="hole" cx="32" cy="33" r="1.8"/>`,
    fire: `<path d="M25 4Q27 13 34 19T39 32Q37 44 24 44
        10 43 9 31 9 23 15 18 16 23 19 25 17 12 25 4Z"/>
    <path class="hole" d="M25 24Q31 30 31 35 30 41 24.5 41 18 41 18 35 18 30 25 24Z"/>`,
};

export const kindName = (choice, kinds) => NAMED[kinds]?.[choice] ?? `number ${choice + 1}`;

export function kindGlyph(choice, kinds) {
    const name = NAMED[kinds]?.[choice];
    const inside =
        GLYPHS[name] ??
        `<circle cx="24" cy="24" r="19"/>
    <text class="hole" x="24" y="31.5" text-anchor="middle">${choice + 1}</text>`;
    return drawing(`<svg class="glyph" viewBox="0 0 48 48" aria-hidden="true">${inside}</svg>`);
}

/** 1: a beats b, -1: b beats a, 0: the same. */
export function compare(a, b, kinds) {
    const difference = (a - b + kinds) % kinds;
    if (!difference) return 0;
    return difference <= (kinds - 1) / 2 ? 1 : -1;
}

/** The choices that this one beats. */
export function beatenBy(choice, kinds) {
    const all = Array.from({ length: kinds }, (_, other) => other);
    return all.filter((other) => compare(choice, other, kinds) === 1);
}

/** "beats scissors and lizard" */
export function beatsText(choice, kinds) {
    const names = beatenBy(choice, kinds).map((other) => kindName(other, kinds));
    const last = names.pop();
    return `beats ${names.length ? `${names.join(", ")} and ${last}` : last}`;
}
