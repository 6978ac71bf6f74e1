// The secret that gives a seat back after a reload or a lost connection. It is this tab's: two tabs
// are two players.

const KEY = "fray.seat";

export function keptSeat(match) {
    try {
        const seat = JSON.parse(sessionStorage.getItem(KEY));
        return seat?.match === match ? seat : null;
    } catch {
        return null;
    }
}

export function keepSeat({ match, token }) {
    try {
        if (token) sessionStorage.setItem(KEY, JSON.stringify({ match, token }));
        else sessionStorage.removeItem(KEY);
    } catch {
        // storage is off: the seat lasts as long as the page
    }
}

export const dropSeat = () => keepSeat({});
