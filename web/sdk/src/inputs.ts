import { writeField, type Field } from "./describe.js";
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

    set(values: InputValues): void {
        for (const name of Object.keys(values)) {
            const field = this.rules.game.input.fields.find((field) => field.name === name);
            if (!field) throw new Error(`${this.rules.game.name} has no input "${name}".`);
            const value = numberOf(field, values[name]!);
            if (Number.isNaN(value)) throw new Error(`"${name}" cannot be ${values[name]}.`);
            writeField(this.rules.data, this.held + field.offset, field, value);
        }
    }

    /** Copies it to an address, for one tick: impulses are given once. */
    take(to: number): void {
        this.rules.bytes.copyWithin(to, this.held, this.held + this.rules.game.input_size);
        this.rules.wasm.input_release(this.held);
    }
}

/** In the field's units and range, so that no input is refused for its numbers. */
function numberOf(field: Field, value: number | boolean | string): number {
    const label = typeof value === "string" ? (field.labels?.indexOf(value) ?? -1) : 0;
    if (label < 0) return NaN;
    const number = typeof value === "string" ? label : Number(value);
    const scaled = Math.round(number * 2 ** (field.fraction ?? 0));
    return Math.max(field.min ?? 0, Math.min(field.max ?? 0, scaled));
}
