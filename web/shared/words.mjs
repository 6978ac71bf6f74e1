// Words that pages have in common.

export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** `seats` as `match` has them (docs/games.md): the one bot of a game of two needs no number. */
export function nameBots(seats, seatsMax) {
    if (seatsMax !== 2 || seats.filter(({ bot }) => bot !== null).length !== 1) return seats;
    return seats.map((seat) => (seat.bot === null ? seat : { ...seat, name: "Bot" }));
}
