// One duellist: a square with eyes and a gun, which stretches in flight and blinks when hit.

const WIDE = 20;
const TALL = 32;
const GUN = 20; // above the feet
const PIPS_MAX = 12; // more hits are a bar
const PUPIL = "#17151e";

function box(c, x, y, width, height, radius) {
    c.beginPath();
    c.roundRect(x, y, width, height, radius);
    c.fill();
}

/**
 * `marks`: what just happened to it, in ms that are left (effects.mjs). `label`: how much larger
 * name and hits are than the rest, so that small pictures can be read.
 */
export function paintDuellist(c, player, look) {
    const { colour, limb, ink, paper, aim, hits, marks, isCalm, label } = look;
    const { x, y, velocityX, velocityY, grounded } = player;
    const angle = Math.atan2(aim.y - (y - GUN), aim.x - x);
    if (grounded) {
        c.fillStyle = "#0003";
        c.beginPath();
        c.ellipse(x, y + 1, 12, 2.6, 0, 0, 7);
        c.fill();
    }
    c.save();
    c.translate(x, y);
    if (!isCalm) {
        const stretch = grounded
            ? 1 - 0.16 * (marks.land / 160)
            : 1 + Math.min(0.14, Math.abs(velocityY) * 0.014);
        c.rotate(velocityX * 0.018);
        c.scale(1 / stretch, stretch);
    }
    paintBody(c, { colour, limb, angle, marks, velocityX, grounded, isBot: player.isBot, isCalm });
    c.restore();
    paintGun(c, { x, y: y - GUN, angle, marks, limb });
    c.save();
    c.translate(x, y - TALL - 9);
    c.scale(label, label);
    paintPips(c, { hp: player.hp, hits, colour, paper });
    paintName(c, { name: player.name, ink, paper });
    c.restore();
}

function paintBody(c, { colour, limb, angle, marks, velocityX, grounded, isBot, isCalm }) {
    const isHit = marks.hit > 0;
    const step = grounded && velocityX && !isCalm ? Math.sin(marks.way * 0.28) * 3 : 0;
    c.fillStyle = limb;
    box(c, -8 + step, -5, 6, 5, 2);
    box(c, 2 - step, -5, 6, 5, 2);
    if (isBot) {
        c.fillStyle = colour;
        c.fillRect(-0.8, -TALL - 6, 1.6, 7);
        box(c, -2.4, -TALL - 9, 4.8, 4.8, 2.4);
    }
    c.fillStyle = isHit ? "#fff" : colour;
    box(c, -WIDE / 2, -TALL, WIDE, TALL - 3, 6);
    const eye = { x: Math.cos(angle) * 3, y: -22 + Math.sin(angle) * 2.5 };
    c.fillStyle = isHit ? PUPIL : "#fff";
    for (const side of [-1, 1]) box(c, eye.x + side * 4 - 2.4, eye.y - 4, 4.8, 8, 2.2);
    c.fillStyle = isHit ? "#fff" : PUPIL;
    for (const side of [-1, 1])
        box(
            c,
            eye.x + side * 4 - 1.3 + Math.cos(angle) * 1.1,
            eye.y - 2 + Math.sin(angle) * 1.8,
            2.6,
            4,
            1.3,
        );
}

function paintGun(c, { x, y, angle, marks, limb }) {
    const back = marks.shot > 0 ? 3.5 * (marks.shot / 110) : 0;
    c.save();
    c.translate(x, y);
    c.rotate(angle);
    c.fillStyle = limb;
    box(c, 5 - back, -2.6, 15, 5.2, 2);
    c.fillStyle = "#fff3";
    c.fillRect(7 - back, -1.8, 11, 1.2);
    if (marks.shot > 60) {
        c.fillStyle = "#fff2b8";
        c.beginPath();
        for (let at = 0; at < 10; at++) {
            const long = at % 2 ? 4 : 11;
            c.lineTo(26 + Math.cos(at * 0.628) * long, Math.sin(at * 0.628) * long * 0.8);
        }
        c.fill();
    }
    c.restore();
}

/** At the origin. */
function paintPips(c, { hp, hits, colour, paper }) {
    const top = -4;
    if (hits > PIPS_MAX) {
        c.fillStyle = paper;
        box(c, -17, top - 1, 34, 6, 3);
        c.fillStyle = colour;
        box(c, -16, top, Math.max(4, (32 * hp) / hits), 4, 2);
        return;
    }
    const wide = Math.min(6, 44 / hits);
    const from = -(hits * wide) / 2;
    c.fillStyle = paper;
    c.globalAlpha = 0.75;
    box(c, from - 2, top - 1.5, hits * wide + 3, 7, 3);
    for (let at = 0; at < hits; at++) {
        c.globalAlpha = at < hp ? 1 : 0.22;
        c.fillStyle = colour;
        box(c, from + at * wide, top, wide - 1.2, 4, 1.2);
    }
    c.globalAlpha = 1;
}

function paintName(c, { name, ink, paper }) {
    if (!name) return;
    c.font = "650 11px system-ui, sans-serif";
    c.textAlign = "center";
    c.lineJoin = "round";
    c.lineWidth = 3;
    c.strokeStyle = paper;
    c.globalAlpha = 0.85;
    c.strokeText(name, 0, -9);
    c.globalAlpha = 1;
    c.fillStyle = ink;
    c.fillText(name, 0, -9);
}
