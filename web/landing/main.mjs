// The landing page: the arena, the figures, the ways to connect.
import { linkPages, origin } from "../shared/server.mjs";
import { startArena } from "./arena.mjs";
import { startFigures } from "./figures.mjs";
import { startTabs } from "./tabs.mjs";

startFigures(startArena(startTabs()));
linkPages('.brand, nav a[href$="lobby/"]');
document.getElementById("metrics").href = `${origin}/metrics`;
