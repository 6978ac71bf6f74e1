// socketio.mjs PORT: the tutorial's game on Socket.IO's own server, and what bench/load asks of
// every server: join, msg, echo.
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

io.on("connection", (socket) => {
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

  socket.on("join", (room, ack) => {
    socket.join(room);
    ack(true);
  });
  socket.on("msg", (text) => io.to("r").emit("msg", text));
  socket.on("echo", (text, ack) => ack(text));
});

http.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
