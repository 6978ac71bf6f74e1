import type { Rules } from "./rules.js";

const ARGS_AT = 4; // struct fray_game_event

/** Something that happened in the game. `args` by the names of describe(): seats are numbers, what
 * has a dot in its name is inside an object. */
export interface GameEvent {
    name: string;
    tick: number;
    args: { [name: string]: any };
}

/** The event at this address; null: of a kind that these rules do not know. */
export function eventOf({ game, data }: Rules, at: number, tick: number): GameEvent | null {
    const kind = game.events[data.getUint8(at)];
    if (!kind) return null;
    const args: { [name: string]: any } = {};
    kind.args.forEach(({ name, fraction }, i) => {
        const [outer, inner] = name.split(".") as [string, string?];
        const value = data.getInt32(at + ARGS_AT + 4 * i, true) / 2 ** (fraction ?? 0);
        if (inner) (args[outer] ??= {})[inner] = value;
        else args[outer] = value;
    });
    return { name: kind.name, tick, args };
}
