// colyseus.mjs PORT: the arena of games/arena on Colyseus, as its documentation has it: a state of
// schemas in the smallest types that hold them, changed by a simulation at 30 Hz, and its changes
// sent to all 20 times a second. Lighter than fray's arena: no obstacles, no rewinding to what an
// attacker saw, no replay, whole pixels instead of 1/256, and everybody is sent the same.
import { defineRoom, defineServer, Room } from "@colyseus/core";
import { schema } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";

const SIDE = 2000 - 10; // of the map, less a player's
const STEP = 5;
const FULL_PACE = 127;
const REACH = 10;
const DAMAGE = 10;
const COOLDOWN_TICKS = 10;
const RESPAWN_TICKS = 90;

const anywhere = () => Math.floor(Math.random() * SIDE);
const inside = (place) => Math.min(Math.max(place, 0), SIDE);

const Player = schema({
  x: "int16",
  y: "int16",
  hp: "uint8",
  swings: "uint8",
  score: "uint16",
  deaths: "uint16",

  // What is not declared above stays on the server.
  initialize() {
    this.score = this.deaths = this.swings = this.readyTick = 0;
    this.input = { dx: 0, dy: 0, attack: false };
    this.spawn();
  },

  spawn() {
    this.x = anywhere();
    this.y = anywhere();
    this.hp = 100;
  },

  walk() {
    const { dx, dy } = this.input;
    const pace = STEP / Math.max(FULL_PACE, Math.hypot(dx, dy));
    this.x = inside(this.x + Math.round(dx * pace));
    this.y = inside(this.y + Math.round(dy * pace));
  },

  reaches(other) {
    const dx = other.x - this.x;
    const dy = other.y - this.y;
    return other !== this && other.hp > 0 && dx * dx + dy * dy <= REACH * REACH;
  },
}, "Player");

const Arena = schema({ players: { map: Player } }, "Arena");

class ArenaRoom extends Room {
  state = new Arena();
  maxClients = 250;
  patchRate = 50;
  tick = 0;

  messages = {
    input(client, input) {
      this.state.players.get(client.sessionId).input = input;
    },
  };

  onCreate() {
    this.setSimulationInterval(() => this.step(), 1000 / 30);
  }

  onJoin(client) {
    this.state.players.set(client.sessionId, new Player());
  }

  onLeave(client) {
    this.state.players.delete(client.sessionId);
  }

  // First all walk, then all who swing hit at once.
  step() {
    this.tick++;
    const swinging = [];
    for (const player of this.state.players.values()) {
      if (player.hp > 0) player.walk();
      else if (this.tick >= player.respawnTick) player.spawn();
      if (player.hp > 0 && player.input.attack && this.tick >= player.readyTick)
        swinging.push(player);
    }
    for (const player of swinging) this.attack(player);
  }

  attack(attacker) {
    attacker.readyTick = this.tick + COOLDOWN_TICKS;
    attacker.swings = (attacker.swings + 1) % 256;
    for (const victim of this.state.players.values())
      if (attacker.reaches(victim)) this.hurt(victim, attacker);
  }

  hurt(victim, attacker) {
    victim.hp -= DAMAGE;
    if (victim.hp > 0) return;
    victim.deaths++;
    victim.respawnTick = this.tick + RESPAWN_TICKS;
    attacker.score++;
  }
}

const server = defineServer({
  transport: new WebSocketTransport(),
  rooms: { arena: defineRoom(ArenaRoom) },
  greet: false,
});
server.listen(Number(process.argv[2]), "127.0.0.1");
