import { readField, type Table } from "./describe.js";
import type { Rules } from "./rules.js";

/** One row of a table: its fields by name, in their units (px, not 1/256 px). Fields of several
 * values are arrays, made when they are read. Rows are made once and read the memory: keep none of
 * their values' meaning beyond the frame. */
export interface Row {
    /** Its number; of players: the seat. */
    readonly row: number;
    readonly present: boolean;
    readonly [field: string]: any;
}

/** Tables of one row are that row, others arrays. */
export type Tables = { readonly [table: string]: any };

/** What changes smoothly between two states of a view. */
export interface Smoothing {
    /** Fields beside a table's place, as "players.aim_x". */
    fields: readonly string[];
    /** px per tick: whatever moves further did not walk, and is not shown on its way. */
    teleport: number;
}

/** A state of the game to be drawn, by tables. */
export class View<T = Tables> {
    readonly tables: T;
    /** The state's address; 0: nothing to see yet. */
    at = 0;
    tick = 0; // what is shown, with its fraction
    #smoothing = 0;
    #between = 0;

    /** What show() makes: places on their way, all else as in `newest ? newer : older`. */
    constructor(
        readonly rules: Rules,
        readonly newest = false,
        readonly smoothing: Smoothing = { fields: [], teleport: 24 },
    ) {
        const tables: Record<string, TableRow | TableRow[]> = {};
        for (const table of rules.game.tables) {
            const Kind = rowClass(table);
            const rows = Array.from({ length: table.rows }, (_, i) => new Kind(this, i));
            tables[table.name] = table.rows === 1 ? rows[0]! : rows;
        }
        this.tables = tables as unknown as T;
    }

    get ready(): boolean {
        return this.at !== 0;
    }

    /** Two states of these rules, at `alpha` of the way; `ticks` apart. */
    show(older: number, newer: number, alpha: number, ticks: number): void {
        const { rules } = this;
        this.#smoothing ||= rules.smoothing(this.smoothing);
        this.at = this.#between ||= rules.alloc(rules.game.state_size);
        rules.wasm.between(this.#smoothing, older, newer, alpha, ticks, this.newest, this.at);
    }
}

class TableRow {
    constructor(
        readonly view: View<unknown>,
        readonly row: number,
    ) {}
}

function rowClass(table: Table) {
    class Kind extends TableRow {}
    const place = ({ view, row }: TableRow) => view.at + table.offset + row * table.stride;
    const define = (name: string, get: (this: TableRow) => unknown) =>
        Object.defineProperty(Kind.prototype, name, { get, configurable: true });

    for (const field of table.fields) {
        const divisor = 2 ** (field.fraction ?? 0);
        const read = (row: TableRow, i: number) =>
            readField(row.view.rules.data, place(row) + field.offset + i * field.bytes, field) /
            divisor;
        define(field.name, function () {
            if (!field.count) return read(this, 0);
            return Array.from({ length: field.count }, (_, i) => read(this, i));
        });
    }
    define("present", function () {
        if (!this.view.ready) return false;
        return (
            table.present === undefined ||
            this.view.rules.data.getUint8(place(this) + table.present) !== 0
        );
    });
    return Kind;
}
