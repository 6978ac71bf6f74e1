import { writeField, type Field } from "./describe.js";
import { Refusal } from "./refusal.js";
import type { Rules } from "./rules.js";

/** Fields of the input by name; flags may be booleans, labelled fields their label. */
export type InputValues = { readonly [field: string]: number | boolean | string };

/** What the player does: held until told otherwise. */
export class Inputs {
    /** `held`: the address of an input. */
    constructor(
        readonly rules: Rules,
        readonly held = rules.alloc(rules.game.input_size),
    ) {}

    /** Throws a Refusal, and sets nothing, where a field or its value is none of the game's. */
    set(values: InputValues): void {
        const numbers = Object.entries(values).map(([name, value]) => {
            const field = this.#find(name);
            return [field, numberOf(field, value)] as const;
        });
        for (const [field, number] of numbers)
            writeField(this.rules.data, this.held + field.offset, field, number);
    }

    #find(name: string): Field {
        const { game } = this.rules;
        const field = game.input.fields.find((field) => field.name === name);
        if (field) return field;
        const shown = game.input.fields.filter(({ hidden }) => !hidden).map(({ name }) => name);
        const has = `it has ${shown.join(", ")}`;
        throw new Refusal("unknown_field", `${game.name} has no input "${name}": ${has}.`);
    }

    /** Copies it to an address, for one tick: impulses are given once. */
    take(to: number): void {
        this.rules.bytes.copyWithin(to, this.held, this.held + this.rules.game.input_size);
        this.rules.wasm.input_release(this.held);
    }
}

/** In the field's units and range, so that no input is refused for its numbers. */
function numberOf(field: Field, value: unknown): number {
    const { labels, min = 0, max = 0 } = field;
    if (typeof value === "string" && labels?.includes(value)) return labels.indexOf(value);
    const number = typeof value === "boolean" ? Number(value) : value;
    if (typeof number !== "number" || Number.isNaN(number))
        throw new Refusal("bad_value", `"${field.name}" cannot be ${shown(value)}: ${kind(field)}`);
    return Math.max(min, Math.min(max, Math.round(number * 2 ** (field.fraction ?? 0))));
}

function shown(value: unknown): string {
    return typeof value === "string" ? `"${value}"` : String(value);
}

function kind({ labels, min = 0, max = 0, fraction = 0 }: Field): string {
    const range = `a number from ${min / 2 ** fraction} to ${max / 2 ** fraction}`;
    return `it is ${labels ? `${labels.map(shown).join(", ")}, or ` : ""}${range}.`;
}
