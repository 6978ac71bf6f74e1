#include "game/conduct.h"

/* What is left of a level that sinks by `per_s` thousandths each millisecond. */
static uint32_t leaked(uint32_t level, uint32_t per_s, uint64_t since_us, uint64_t now_us)
{
    uint64_t sunk = now_us > since_us ? (now_us - since_us) / 1000 * per_s : 0;
    return sunk < level ? level - (uint32_t)sunk : 0;
}

/* False: it has sent all that it might have until now. */
static bool take_saved(struct fray_conduct *conduct, uint64_t now_us)
{
    const uint64_t most = FRAY_CONDUCT_STALL_S * UINT64_C(1000) * FRAY_CONDUCT_ACTIONS_PER_S;
    bool is_first = conduct->saved_us == 0;
    uint64_t passed_ms = now_us > conduct->saved_us ? (now_us - conduct->saved_us) / 1000 : 0;
    uint64_t saved = is_first ? 0 : conduct->saved + passed_ms * FRAY_CONDUCT_ACTIONS_PER_S;

    if (is_first || passed_ms)
        conduct->saved_us = now_us;
    saved = saved < most ? saved : most;
    bool has_some = saved >= 1000;
    conduct->saved = (uint32_t)(has_some ? saved - 1000 : saved);
    return has_some;
}

/* Where `most` thousandths fit and `per_s` a millisecond run out. */
struct bucket {
    uint32_t *level;
    uint64_t *level_us;
    uint32_t per_s, most;
};

/* Puts `amount` thousandths more. False: they do not fit. */
static bool put(const struct bucket *bucket, uint32_t amount, uint64_t now_us)
{
    uint32_t left = leaked(*bucket->level, bucket->per_s, *bucket->level_us, now_us);
    if (left + amount > bucket->most)
        return false;
    *bucket->level = left + amount;
    *bucket->level_us = now_us;
    return true;
}

bool fray_conduct_spend(struct fray_conduct *conduct, uint64_t now_us)
{
    conduct->is_excused = take_saved(conduct, now_us);
    return put(&(struct bucket){&conduct->spent, &conduct->spent_us, FRAY_CONDUCT_ACTIONS_PER_S,
                                FRAY_CONDUCT_ACTIONS_BURST * 1000},
               1000, now_us);
}

bool fray_conduct_ask(struct fray_conduct *conduct, uint32_t weight, uint64_t now_us)
{
    return put(&(struct bucket){&conduct->asked, &conduct->asked_us, FRAY_CONDUCT_REQUESTS_PER_S,
                                FRAY_CONDUCT_REQUESTS_BURST * 1000},
               weight * 1000, now_us);
}

void fray_conduct_carry(struct fray_conduct *to, const struct fray_conduct *from)
{
    const struct fray_conduct was = *to;
    *to = *from;
    to->asked = was.asked;
    to->asked_us = was.asked_us;
}

bool fray_conduct_offend(struct fray_conduct *conduct, uint32_t points, uint64_t now_us)
{
    conduct->score = leaked(conduct->score, FRAY_CONDUCT_DECAY, conduct->score_us, now_us);
    conduct->score += points * 1000;
    conduct->score_us = now_us;
    return conduct->score >= FRAY_CONDUCT_LIMIT * 1000;
}

bool fray_conduct_err(struct fray_conduct *conduct, uint64_t now_us)
{
    conduct->errors =
        leaked(conduct->errors, FRAY_CONDUCT_ERRORS_DECAY, conduct->errors_us, now_us);
    conduct->errors += FRAY_CONDUCT_ERROR * 1000;
    conduct->errors_us = now_us;
    return conduct->errors >= FRAY_CONDUCT_ERRORS_LIMIT * 1000;
}
