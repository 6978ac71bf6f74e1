// The packets whose layout is fixed (docs/protocols.md, "Game packets"). What is packed by bits,
// INPUT's inputs and SNAPSHOT, is the module's business (rules.ts).

export const VERSION = 1;
export const HELLO = 0x01;
export const INPUT = 0x02;
export const PING = 0x03;
export const REPORT = 0x04;
export const WELCOME = 0x81;
export const SNAPSHOT = 0x82;
export const PONG = 0x83;
export const REFUSED = 0x84;

export const INPUTS_MAX = 24; // in one packet
export const NO_MARGIN = -128;
export const SPECTATOR = 255;
export const SAY_HELLO = 5; // a code of REFUSED

export interface Welcome {
    version: number;
    seat: number;
    tickHz: number;
    snapshotHz: number;
    tick: number;
    rules: bigint;
}

export interface Pong {
    stamp: number;
    tick: number; // with its fraction; negative before a start that is agreed on
}

export function encodeHello(isStream: boolean, snapshotHz: number): Uint8Array {
    return Uint8Array.of(HELLO, VERSION, isStream ? 1 : 0, snapshotHz);
}

export function encodePing(stamp: number): Uint8Array {
    const bytes = new Uint8Array(5);
    bytes[0] = PING;
    dataOf(bytes).setUint32(1, stamp, true);
    return bytes;
}

export function encodeReport(tick: number, hash: bigint): Uint8Array {
    const bytes = new Uint8Array(13);
    bytes[0] = REPORT;
    dataOf(bytes).setUint32(1, tick, true);
    dataOf(bytes).setBigUint64(5, hash, true);
    return bytes;
}

/** null: these bytes are no such packet. */
export function decodeWelcome(bytes: Uint8Array): Welcome | null {
    if (bytes.length < 20) return null;
    const data = dataOf(bytes);
    return {
        version: data.getUint8(1),
        seat: data.getUint8(2),
        tickHz: data.getUint8(3),
        snapshotHz: data.getUint8(4),
        tick: data.getUint32(8, true),
        rules: data.getBigUint64(12, true),
    };
}

export function decodePong(bytes: Uint8Array): Pong | null {
    if (bytes.length < 11) return null;
    const data = dataOf(bytes);
    return {
        stamp: data.getUint32(1, true),
        tick: data.getInt32(5, true) + data.getUint16(9, true) / 65536,
    };
}

function dataOf(bytes: Uint8Array): DataView {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
