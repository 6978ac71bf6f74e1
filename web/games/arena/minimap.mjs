// All of the map, small: walls, who is there, what of it is seen.

const WIDE = 240; // px of the canvas

/** `marked`: the entry of world.players that is larger than others. */
export function paintMinimap(canvas, world, painter, marked) {
    const { width, height, obstacles, side } = world.map;
    const scale = WIDE / width;
    const high = Math.round(height * scale);
    if (canvas.width !== WIDE || canvas.height !== high) {
        canvas.width = WIDE;
        canvas.height = high;
    }
    const c = canvas.getContext("2d");
    const { colours, seen } = painter;
    c.clearRect(0, 0, WIDE, high);
    c.fillStyle = colours["wall-edge"];
    for (const [x, y, w, h] of obstacles) c.fillRect(x * scale, y * scale, w * scale, h * scale);
    c.strokeStyle = colours.quiet;
    c.lineWidth = 2;
    c.strokeRect(
        seen.left * scale,
        seen.top * scale,
        (seen.right - seen.left) * scale,
        (seen.bottom - seen.top) * scale,
    );
    const dot = Math.max(5, side * scale);
    for (const player of world.players) {
        if (!player.hp) continue;
        c.fillStyle = painter.colourOf(player, world);
        const size = player === marked ? dot * 1.6 : dot;
        c.fillRect(
            (player.x + side / 2) * scale - size / 2,
            (player.y + side / 2) * scale - size / 2,
            size,
            size,
        );
    }
}
