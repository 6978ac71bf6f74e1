// The landing page: the arena, the figures, the ways to connect.
import { startArena } from "./arena.mjs";
import { startFigures } from "./figures.mjs";
import { startTabs } from "./tabs.mjs";

startFigures(startArena());
startTabs();
