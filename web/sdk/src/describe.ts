// What a module's describe() says (games/describe.c): offsets and meanings of all data.

export interface Field {
    name: string;
    offset: number;
    bytes: 1 | 2 | 4;
    signed: boolean;
    bits: number;
    count?: number;
    fraction?: number;
    min?: number;
    max?: number;
    labels?: string[];
    owner?: true;
    hidden?: true;
    clock?: true;
    seat?: true;
    once?: true;
}

export interface Table {
    name: string;
    offset: number;
    stride: number;
    rows: number;
    present?: number;
    owner?: number | "row";
    x?: number;
    y?: number;
    fields: Field[];
}

export interface Game {
    name: string;
    title: string;
    version: number;
    tick_hz: number;
    seats_min: number;
    seats_max: number;
    bot_levels: number;
    state_size: number;
    input_size: number;
    bot_size: number;
    options_offset: number;
    input: Table;
    options: {
        name: string;
        summary: string;
        min: number;
        max: number;
        step: number;
        standard: number;
    }[];
    tables: Table[];
    actions: { name: string; takes: string[]; sets?: string; value?: number; host_only?: true }[];
    events: {
        name: string;
        delivery: "every" | "newest";
        args: { name: string; fraction?: number; seat?: true }[];
    }[];
}

export function readField(data: DataView, at: number, field: Field): number {
    if (field.bytes === 4) return field.signed ? data.getInt32(at, true) : data.getUint32(at, true);
    if (field.bytes === 2) return field.signed ? data.getInt16(at, true) : data.getUint16(at, true);
    return field.signed ? data.getInt8(at) : data.getUint8(at);
}

export function writeField(data: DataView, at: number, field: Field, value: number): void {
    if (field.bytes === 4) data.setInt32(at, value, true);
    else if (field.bytes === 2) data.setInt16(at, value, true);
    else data.setInt8(at, value);
}
