export { Client, connect, type CreateOptions } from "./client";
export type { ConnectOptions } from "./connection";
export type { Field, Game, Table } from "./describe";
export type { GameEvent } from "./game_events";
export { Inputs, type InputValues } from "./inputs";
export {
    Match,
    type ChatLine,
    type Joined,
    type MatchEvents,
    type Result,
    type Roster,
    type Seat,
} from "./match";
export { Netcode, type Frame, type NetcodeOptions, type PacketLink } from "./netcode";
export { Refusal } from "./refusal";
export { loadRules, Rules } from "./rules";
export type { Stats } from "./stats";
export { View, type Row, type Tables } from "./view";
