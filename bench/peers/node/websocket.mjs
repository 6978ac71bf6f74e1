// websocket.mjs PORT: what begins with B goes to every open socket, what begins with E back to its
// sender; on ws, which Socket.IO's server is built on.
import { WebSocketServer } from "ws";

const server = new WebSocketServer({
  port: Number(process.argv[2]),
  host: "127.0.0.1",
  backlog: 4096,
  perMessageDeflate: false,
});
const ECHO = "E".charCodeAt(0);
const asText = { binary: false };

server.on("connection", (socket) =>
  socket.on("message", (message) => {
    if (message[0] === ECHO) socket.send(message, asText);
    else for (const client of server.clients) client.send(message, asText);
  }),
);
