import { writeField, type Field } from "./describe";
import type { Rules } from "./rules";

const RING = 128; // ticks

/** Fields of the input by name; flags may be booleans, labelled fields their label. */
export type InputValues = { readonly [field: string]: number | boolean | string };

/** What the player does: held until told otherwise, and sampled once per client tick. Impulses are
 * given in one tick. */
export class Inputs {
    newest = 0; // tick of the newest sample
    #held: number;
    #ring: number;
    #ticks = new Float64Array(RING);

    constructor(readonly rules: Rules) {
        this.#held = rules.alloc(rules.game.input_size);
        this.#ring = rules.alloc(RING * rules.game.input_size);
        this.#ticks.fill(-1);
    }

    set(values: InputValues): void {
        for (const name of Object.keys(values)) {
            const field = this.rules.game.input.fields.find((field) => field.name === name);
            if (!field) throw new Error(`${this.rules.game.name} has no input "${name}".`);
            const value = numberOf(field, values[name]!);
            if (Number.isNaN(value)) throw new Error(`"${name}" cannot be ${values[name]}.`);
            writeField(this.rules.data, this.#held + field.offset, field, value);
        }
    }

    sample(tick: number): void {
        const { rules } = this;
        const at = this.#slot(tick);
        rules.bytes.copyWithin(at, this.#held, this.#held + rules.game.input_size);
        this.#ticks[tick % RING] = tick;
        this.newest = tick;
        for (const field of rules.game.input.fields)
            if (field.once) writeField(rules.data, this.#held + field.offset, field, 0);
    }

    /** The address of this tick's input; 0: there was none. */
    at(tick: number): number {
        return this.#ticks[tick % RING] === tick ? this.#slot(tick) : 0;
    }

    /** The first of the unbroken run of inputs that ends with `last`, not before `first`. */
    runFrom(first: number, last: number): number {
        let tick = last;
        while (tick > first && this.at(tick - 1)) tick--;
        return tick;
    }

    #slot(tick: number): number {
        return this.#ring + (tick % RING) * this.rules.game.input_size;
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
