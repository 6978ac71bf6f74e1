/* How a player behaves: a budget of actions and a score of offences that decays. Latency, a stall
 * or a slip of the finger must stay far below the threshold; what only a program does all the time
 * reaches it within a second or two. Times are microseconds. Pure. */
#ifndef FRAY_GAME_CONDUCT_H
#define FRAY_GAME_CONDUCT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FRAY_CONDUCT_LIMIT = 100,         /* points: who has them is put out */
    FRAY_CONDUCT_DECAY = 20,          /* points a second */
    FRAY_CONDUCT_ERROR = 10,          /* points of their own, for what a client gets wrong */
    FRAY_CONDUCT_ERRORS_LIMIT = 50,   /* then it cannot play */
    FRAY_CONDUCT_ERRORS_DECAY = 1,    /* a second: views are compared about once a second */
    FRAY_CONDUCT_ACTIONS_PER_S = 200, /* screens of 144 Hz send one a frame */
    FRAY_CONDUCT_ACTIONS_BURST = 48,
    FRAY_CONDUCT_REQUESTS_PER_S = 20, /* of a connection, besides what it does in a game of ticks */
    FRAY_CONDUCT_REQUESTS_BURST = 60,
    FRAY_CONDUCT_STALL_S = 15, /* clients give up a connection that is silent for so long */
};

/* What an offence weighs. What was fair when it was made may have become impossible on its way: who
 * respawns is elsewhere, and a round trip's worth of inputs does not know it yet. */
enum fray_offence {
    FRAY_OFFENCE_FLOODING = 1,   /* an action over the budget */
    FRAY_OFFENCE_TOO_EARLY = 1,  /* a packet of inputs for ticks that are far away: a fast clock */
    FRAY_OFFENCE_TOO_OLD = 1,    /* one for ticks that no stall explains any more */
    FRAY_OFFENCE_UNSEEN = 1,     /* one that claims to look at what its client cannot show */
    FRAY_OFFENCE_IMPOSSIBLE = 3, /* an input or an action that the rules refuse now */
    FRAY_OFFENCE_FORGED = 10,    /* an action that they never allow: a number out of its range */
    FRAY_OFFENCE_MALFORMED = 20, /* no client writes such a packet */
};

struct fray_conduct { /* zero-initialised: blameless */
    uint64_t score_us, errors_us, spent_us, saved_us, asked_us;
    uint32_t asked;  /* 1/1000 requests, at asked_us */
    uint32_t errors; /* as score */
    uint32_t score;  /* 1/1000 points, at score_us */
    uint32_t spent;  /* 1/1000 actions, at spent_us */
    uint32_t saved;  /* 1/1000 actions that might have been sent and were not, at saved_us */
    bool is_excused; /* what was over the budget last had been saved */
};

/* False: over the budget. That is no offence as long as `is_excused`: when a network stalls, TCP
 * delivers at once what was sent in all the seconds before. */
bool fray_conduct_spend(struct fray_conduct *conduct, uint64_t now_us);
/* A request, which may concern all others in a match or the lobby; it counts as so many of the
 * budget, 1 …. False: over the budget. */
bool fray_conduct_ask(struct fray_conduct *conduct, uint32_t weight, uint64_t now_us);
/* It goes on elsewhere: how it behaved so far goes with it, but not its requests. */
void fray_conduct_carry(struct fray_conduct *to, const struct fray_conduct *from);
/* True: the limit is reached. */
bool fray_conduct_offend(struct fray_conduct *conduct, uint32_t points, uint64_t now_us);
/* Its client saw what is not so, or wrote nonsense. True: again and again. */
bool fray_conduct_err(struct fray_conduct *conduct, uint64_t now_us);

#endif
