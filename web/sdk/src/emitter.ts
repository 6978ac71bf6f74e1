/** Listeners by event; `Events` maps names to what their listeners are given. */
export class Emitter<Events> {
    #listeners = new Map<keyof Events, Set<(value: never) => void>>();

    /** Returns what takes the listener away again. */
    on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void {
        const listeners = this.#listeners.get(name) ?? new Set();
        this.#listeners.set(name, listeners.add(listener));
        return () => void listeners.delete(listener);
    }

    protected emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
        for (const listener of this.#listeners.get(name) ?? [])
            (listener as (value: Events[Name]) => void)(value);
    }
}
