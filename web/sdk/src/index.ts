export { Client, connect, type CreateOptions } from "./client.js";
export type { ConnectOptions } from "./connection.js";
export type { Field, Game, Table } from "./describe.js";
export type { GameEvent } from "./game_events.js";
export { Inputs, type InputValues } from "./inputs.js";
export {
    Match,
    type ChatLine,
    type Joined,
    type MatchEvents,
    type Result,
    type Roster,
    type Seat,
} from "./match.js";
export { Netcode, type Frame, type NetcodeOptions, type PacketLink } from "./netcode.js";
export { Refusal } from "./refusal.js";
export { loadRules, Rules } from "./rules.js";
export type { Stats } from "./stats.js";
export { View, type Row, type Tables } from "./view.js";
