import { readField, type Field, type Table } from "./describe";
import type { Rules } from "./rules";

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

/** The game between two states, `older` and `newer`, at `alpha` of the way. Places are between the
 * two; everything else is as in `newest ? newer : older`. */
export class View<T = Tables> {
    readonly tables: T;
    older = 0; // addresses; 0: nothing to see yet
    newer = 0;
    alpha = 0; // 0 … 1; more: beyond newer
    ticks = 1; // from older to newer
    tick = 0; // what is shown, with its fraction

    constructor(
        readonly rules: Rules,
        readonly newest: boolean,
        readonly smoothing: Smoothing,
    ) {
        const tables: Record<string, RowBase | RowBase[]> = {};
        for (const table of rules.game.tables) {
            const Kind = rowClass(table, smoothing);
            const rows = Array.from({ length: table.rows }, (_, i) => new Kind(this, i));
            tables[table.name] = table.rows === 1 ? rows[0]! : rows;
        }
        this.tables = tables as unknown as T;
    }

    get ready(): boolean {
        return this.newer !== 0;
    }

    /** The place of whatever does not change smoothly. */
    get at(): number {
        return this.newest || this.alpha >= 1 ? this.newer : this.older;
    }

    show(older: number, newer: number, alpha: number, ticks: number): void {
        this.older = older;
        this.newer = newer;
        this.alpha = alpha;
        this.ticks = ticks;
    }
}

export class RowBase {
    /** Where it is drawn beside where it is, px: what is left of a correction. */
    offsetX = 0;
    offsetY = 0;
    constructor(
        readonly view: View<unknown>,
        readonly row: number,
    ) {}
}

function rowClass(table: Table, smoothing: Smoothing) {
    class TableRow extends RowBase {}
    const place = (state: number, row: number) => state + table.offset + row * table.stride;
    const isThere = (data: DataView, state: number, row: number) =>
        table.present === undefined || data.getUint8(place(state, row) + table.present) !== 0;
    const define = (name: string, get: (this: TableRow) => unknown) =>
        Object.defineProperty(TableRow.prototype, name, { get, configurable: true });

    for (const field of table.fields) {
        const divisor = 2 ** (field.fraction ?? 0);
        const isX = field.offset === table.x && table.x !== table.y;
        const isY = field.offset === table.y && table.x !== table.y;
        if (isX || isY || smoothing.fields.includes(`${table.name}.${field.name}`))
            define(field.name, smooth(field, divisor, isX ? "offsetX" : isY ? "offsetY" : ""));
        else if (field.count)
            define(field.name, function () {
                const at = place(this.view.at, this.row) + field.offset;
                return Array.from(
                    { length: field.count! },
                    (_, i) =>
                        readField(this.view.rules.data, at + i * field.bytes, field) / divisor,
                );
            });
        else
            define(field.name, function () {
                const at = place(this.view.at, this.row) + field.offset;
                return readField(this.view.rules.data, at, field) / divisor;
            });
    }
    define("present", function () {
        return this.view.ready && isThere(this.view.rules.data, this.view.at, this.row);
    });
    return TableRow;

    function smooth(field: Field, divisor: number, offset: "offsetX" | "offsetY" | "") {
        return function (this: TableRow): number {
            const { view, row } = this;
            const data = view.rules.data;
            const older = readField(data, place(view.older, row) + field.offset, field);
            const newer = readField(data, place(view.newer, row) + field.offset, field);
            let value = (view.at === view.newer ? newer : older) / divisor;
            if (
                older !== newer &&
                (!offset ||
                    Math.abs(newer - older) <= view.smoothing.teleport * view.ticks * divisor) &&
                isThere(data, view.older, row) &&
                isThere(data, view.newer, row)
            )
                value = (older + (newer - older) * view.alpha) / divisor;
            return offset ? value + this[offset] : value;
        };
    }
}
