import type { Game, Table } from "./describe.js";
import { loadRules, type Rules } from "./rules.js";

/** What a page knows of a game. */
export interface KnownGame {
    /** null: it is played by JSON alone. */
    rules: Rules | null;
    /** null: neither the module nor the description can be had. */
    game: Game | null;
    /** Why there are no rules. */
    why: string;
}

/** Warns where a game wants its module and has none. */
export async function learn(name: string, server: URL): Promise<KnownGame> {
    try {
        const rules = await loadRules(addressOf(name, "wasm", server));
        return { rules, game: rules.game, why: "" };
    } catch (error) {
        const why = (error as Error).message;
        const game = await describedBy(server, name);
        if (game?.tick_hz !== 0)
            console.warn(`${name} is played by JSON alone, without frame() and setInput(). ${why}`);
        return { rules: null, game, why };
    }
}

/** What the server says of the game; null: nothing. */
export async function describedBy(server: URL, name: string): Promise<Game | null> {
    const reply = await fetch(addressOf(name, "json", server)).catch(() => null);
    return reply?.ok ? reply.json().catch(() => null) : null;
}

/** A sentence for whoever made one of the two and forgot the other. */
export function otherRules(own: Game, server: Game | null): string {
    return (
        `${whatDiffers(own, server)} Nothing is predicted, and what is shown may be wrong: ` +
        `make games/${own.name}.wasm anew with fray-wasm, from the server's sources.`
    );
}

function whatDiffers(own: Game, server: Game | null): string {
    const { name, version } = own;
    const module = "this page's module";
    const theirs = server?.version ?? version;
    if (theirs !== version)
        return `The server plays version ${theirs} of ${name}, ${module} version ${version}.`;
    const where = server && differing(own, server);
    const both = server ? "both of" : "which is of";
    const others = `other rules of ${name} than ${module}, ${both} version ${version}`;
    return `The server plays ${others}${where ? `: ${where} differs` : ""}.`;
}

function differing(own: Game, server: Game): string | undefined {
    const tables = (game: Game): Table[] => [game.input, ...game.tables];
    for (const table of tables(server)) {
        const other = tables(own).find(({ name }) => name === table.name);
        const field = table.fields.find((field) => !has(other?.fields ?? [], field));
        if (field) return `${table.name}.${field.name}`;
    }
    const parts = Object.keys(server) as (keyof Game)[];
    return parts.find((part) => part !== "version" && !has([own[part]], server[part]));
}

function has(values: unknown[], wanted: unknown): boolean {
    return values.some((value) => JSON.stringify(value) === JSON.stringify(wanted));
}

function addressOf(name: string, type: string, server: URL): string {
    return new URL(`games/${encodeURIComponent(name)}.${type}`, server).href;
}
