// socketio.mjs PORT [--game]: what bench/load asks of every Socket.IO server (join, msg, echo), and
// the tutorial's game, on Socket.IO's own server. Without --game nobody is told of who comes and
// goes, so that handshakes and idle clients cost what they cost by themselves.
import { createServer } from "node:http";
import { Server } from "socket.io";

const REACH = 10;
const DAMAGE = 10;

const http = createServer();
const io = new Server(http, { cors: { origin: "*" } });
const players = new Map();

const chance = () => Math.floor(Math.random() * 101);

function attack(attacker, socket) {
  for (const [id, player] of players) {
    if (id === socket.id || Math.hypot(attacker.x - player.x, attacker.y - player.y) > REACH)
      continue;
    player.hp -= DAMAGE;
    if (player.hp <= 0) io.emit("player_killed", { id });
    io.emit("player_attacked", { id, hp: player.hp });
  }
}

function play(socket) {
  const player = { x: chance(), y: chance(), hp: 100 };
  players.set(socket.id, player);
  socket.broadcast.emit("new_player", { id: socket.id, position: player });

  socket.on("move", ({ x, y }) => {
    player.x = x;
    player.y = y;
    io.emit("player_moved", { id: socket.id, position: player });
  });
  socket.on("attack", () => attack(player, socket));
  socket.on("disconnect", () => {
    players.delete(socket.id);
    io.emit("player_left", { id: socket.id });
  });
}

function serve(socket) {
  socket.on("join", (room, ack) => {
    socket.join(room);
    ack(true);
  });
  socket.on("msg", (text) => io.to("r").emit("msg", text));
  socket.on("echo", (text, ack) => ack(text));
}

io.on("connection", process.argv.includes("--game") ? play : serve);
http.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
