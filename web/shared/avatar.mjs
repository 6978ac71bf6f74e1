// Players are squares with eyes, as in the arena: green is who looks, bots are grey with an
// antenna.
import { drawing } from "./dom.mjs";

const HUES = [8, 262, 205, 32, 322, 178, 48, 232];

/** A colour that stays with the seat; `var(--you)` for oneself. */
export function colourOf({ seat, bot }, isOwn) {
    if (isOwn) return "var(--you)";
    if (bot) return "var(--bot)";
    const hue = HUES[(seat ?? 0) % HUES.length];
    return `oklch(var(--player-l) .165 ${hue})`;
}

const ANTENNA = `<path d="M20 7V3" stroke="currentColor" stroke-width="2.4"/>
  <circle cx="20" cy="3" r="2.6"/>`;

export function avatar(player, isOwn, colour = colourOf(player, isOwn)) {
    const made = drawing(`<svg class="avatar" viewBox="0 0 40 40" aria-hidden="true"
    fill="currentColor">${player.bot ? ANTENNA : ""}
    <rect x="4" y="7" width="32" height="31" rx="8.5"/>
    <g class="eyes"><rect x="12" y="15" width="6" height="12" rx="3" fill="#fff"/>
    <rect x="22" y="15" width="6" height="12" rx="3" fill="#fff"/>
    <rect x="13.6" y="19" width="3.4" height="6" rx="1.7" fill="#17151e"/>
    <rect x="23.6" y="19" width="3.4" height="6" rx="1.7" fill="#17151e"/></g></svg>`);
    made.style.color = colour;
    return made;
}
