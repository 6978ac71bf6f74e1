// One client of the small server over a bad link, with pictures at 60 Hz.
import { Link } from "./link.mjs";
import { rulesOf, sdk } from "./sources.mjs";

export class Player {
    events = [];
    corrections = []; // px, at each picture

    /** Options: those of the link and of Netcode; `clockOffset` ms of the client's clock. */
    static async join(world, server, seat, options = {}) {
        const rules = await rulesOf(server.rules.game.name);
        if (seat !== sdk.SPECTATOR) server.join(seat);
        return new Player(world, server, { seat, rules, options });
    }

    constructor(world, server, { seat, rules, options }) {
        this.world = world;
        this.server = server;
        this.seat = seat;
        this.clockOffset = options.clockOffset ?? 0;
        this.isConnected = true;
        this.up = new Link(world, options, (packet) => {
            if (this.isConnected) server.receive(seat, packet);
        });
        this.down = new Link(world, { ...options, seed: (options.seed ?? 1) + 1 }, (packet) => {
            if (this.isConnected) this.netcode.receive(packet, this.now);
        });
        const link = {
            isStream: options.isStream ?? false,
            buffered: 0,
            send: (packet) => this.isConnected && this.up.send(packet),
        };
        this.netcode = new sdk.Netcode(rules, seat, link, options);
        this.netcode.on("event", (event) => this.events.push(event));
        server.connect(seat, (packet) => this.down.send(packet));
        this.netcode.hello(this.now);
        world.every(1000 / (options.fps ?? 60), () => this.#draw());
    }

    get now() {
        return this.world.now + this.clockOffset;
    }

    #draw() {
        this.onDraw?.();
        this.frame = this.netcode.frame(this.now);
        this.onFrame?.(this.frame);
    }

    /** The newest view that came, as bytes. */
    get view() {
        const { rules, status } = this.netcode;
        return rules.bytes.slice(status.newest, status.newest + rules.game.state_size);
    }
}
