// The bots of games/arena/bot.c at their highest level, for an arena without obstacles: they roam,
// hunt who comes near, run when they are hurt.
const MAP = 2000;
const HUNT_RANGE = 160;
const REACH = 10;
const FLEE_HP = 30;
const ARRIVED = 20;
const FULL_PACE = 127;
const LOOK_DECISIONS = 8; // of 15 a second
const ROAM_DECISIONS = 15; // after it was stuck, whoever is near
const STUCK = 4; // less than this since the last look: something is in the way

const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

function nearest(self, players) {
  let best;
  let bestDistance = HUNT_RANGE;
  for (const other of players) {
    if (other === self || other.hp === 0) continue;
    const far = distance(self, other);
    if (far <= bestDistance) {
      best = other;
      bestDistance = far;
    }
  }
  return best;
}

function towards(dx, dy) {
  const scale = FULL_PACE / (Math.hypot(dx, dy) || 1);
  return { dx: Math.round(dx * scale), dy: Math.round(dy * scale), attack: false };
}

export class ArenaBot {
  goal = { x: 0, y: 0 }; // the first is the corner, there too
  seen = { x: 0, y: 0 }; // where it was at the last look
  decisions = 0;
  roamUntil = 0;

  // The input of the player `self` among `players`.
  decide(self, players) {
    if (self.hp === 0) return { dx: 0, dy: 0, attack: false };
    const enemy = nearest(self, players);
    const isClose = enemy && distance(self, enemy) <= REACH;
    if (this.isStuck(self) && !isClose) {
      this.chooseGoal();
      this.roamUntil = this.decisions + ROAM_DECISIONS;
    }
    if (isClose) return { dx: 0, dy: 0, attack: true };
    if (!enemy || this.decisions < this.roamUntil) return this.roam(self);
    const sign = self.hp <= FLEE_HP && enemy.hp > self.hp ? -1 : 1;
    return towards((enemy.x - self.x) * sign, (enemy.y - self.y) * sign);
  }

  // True now and then when it has not come forward.
  isStuck(self) {
    if (++this.decisions % LOOK_DECISIONS) return false;
    const hasMoved =
      Math.max(Math.abs(self.x - this.seen.x), Math.abs(self.y - this.seen.y)) >= STUCK;
    this.seen = { x: self.x, y: self.y };
    return !hasMoved;
  }

  roam(self) {
    if (distance(self, this.goal) < ARRIVED) this.chooseGoal();
    return towards(this.goal.x - self.x, this.goal.y - self.y);
  }

  chooseGoal() {
    this.goal = { x: Math.random() * MAP, y: Math.random() * MAP };
  }
}
