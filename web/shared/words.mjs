// Words that pages have in common.

export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** Who watches a match that shows the past sees nobody until something is old enough. */
export const isBeforePicture = ({ own, seats, spectator_delay_ms: delay }) =>
    own === null && delay > 0 && seats.length === 0;

export const secondsOf = (ms) => `${+(ms / 1000).toFixed(1)} s`;

/** {title, detail} of that time. */
export const beforePicture = ({ spectator_delay_ms: delay }) => ({
    title: `You watch ${secondsOf(delay)} behind`,
    detail: "The picture begins in a moment",
});

/** `seats` as `match` has them (docs/games.md): the one bot of a game of two needs no number. */
export function nameBots(seats, seatsMax) {
    if (seatsMax !== 2 || seats.filter(({ bot }) => bot !== null).length !== 1) return seats;
    return seats.map((seat) => (seat.bot === null ? seat : { ...seat, name: "Bot" }));
}
