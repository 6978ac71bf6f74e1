// What is seen before the server has said anything, and where there is none: a moment of a fight.

const PLAYERS = [
    ["Rook", 196, 92, 70],
    ["Pixel", 214, 101, 40],
    ["Comet", 268, 152, 100],
    ["Basil", 120, 60, 100],
    ["Juno", 322, 84, 90],
    ["Moss", 92, 148, 60],
    ["Fig", 352, 172, 100],
];
const OBSTACLES = [
    [150, 112, 34, 26],
    [236, 56, 52, 20],
    [300, 120, 26, 40],
    [60, 88, 28, 34],
    [206, 176, 60, 22],
];

export const still = {
    map: { width: 440, height: 288, side: 10, range: 10, obstacles: OBSTACLES },
    own: null,
    roster: new Map(PLAYERS.map(([name], seat) => [seat, { name, bot: true }])),
    players: PLAYERS.map(([, x, y, hp], seat) => ({ seat, x, y, hp })),
    focus: { x: 220, y: 116 },
};
