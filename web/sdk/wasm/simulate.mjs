/**
 * Runs the match of games/simulate.h inside a game's module and returns {hash, seconds}. Needs
 * nothing but WebAssembly and performance, so that it runs in Node as in a page; it names nothing
 * outside of itself, so that tests can hand its source to a page.
 *
 * `describe(game)` is given the game's tables and returns {seed, ticks, bots, guests, options},
 * where seed is a bigint, guests may be undefined, and options are numbers in the game's order.
 */
export async function simulate(bytes, describe) {
    const { instance } = await WebAssembly.instantiate(bytes, {});
    const wasm = instance.exports;
    const at = wasm.describe();
    const text = new Uint8Array(wasm.memory.buffer).subarray(at);
    const game = JSON.parse(new TextDecoder().decode(text.slice(0, text.indexOf(0))));
    const { seed, ticks, bots, guests, options } = describe(game);

    const chosen = wasm.alloc(4 * Math.max(1, game.options.length));
    new Int32Array(wasm.memory.buffer, chosen, game.options.length).set(options);
    const others = guests ?? wasm.simulate_guests(bots);
    if (!wasm.simulate_init(seed, bots, others, chosen)) throw new Error("Out of memory.");

    const chunk = 1 << 16;
    const start = performance.now();
    for (let left = ticks; left > 0; left -= chunk) wasm.simulate_run(Math.min(left, chunk));
    const seconds = (performance.now() - start) / 1e3;
    const hash = BigInt.asUintN(64, wasm.simulate_hash()).toString(16).padStart(16, "0");
    return { hash, seconds };
}
