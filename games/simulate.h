/* A match without network or clock, of bots and of guests who press anything: for determinism,
 * fuzzing and speed. The same source runs natively and inside a WebAssembly module, so the hash it
 * ends with must be the same. Pure. */
#ifndef FRAY_GAMES_SIMULATE_H
#define FRAY_GAMES_SIMULATE_H

#include "replay.h"

enum {
    FRAY_SIMULATE_PAST =
        4, /* ticks that every player's view lags, so that rewinding is exercised */
    FRAY_SIMULATE_TURN_MS = 250,   /* between two steps of an event-driven game */
    FRAY_SIMULATE_HASH_TICKS = 64, /* the state goes into the hash this often, and at the end */
};

struct fray_simulate_config {
    uint64_t seed;
    uint32_t bots;          /* in the first seats, of all levels in turn */
    uint32_t guests;        /* in the seats after them; bots + guests are cut to seats_max */
    const int32_t *options; /* NULL: the standard ones */
    struct fray_replay_writer *replay; /* begun; told everything. NULL: nothing is written */
};

struct fray_simulate {
    const struct fray_game *game;
    struct fray_simulate_config config;
    uint32_t random[4];
    uint32_t tick;
    uint32_t refused; /* inputs */
    /* The first value that was found too large for its bits, whenever the state was hashed. */
    struct fray_game_misfit misfit;
    uint32_t misfit_tick; /* 0: none was */
    /* The first value that a bot gave and that its field's range has not. */
    struct fray_game_misfit bot_misfit;
    uint32_t bot_misfit_tick, bot_misfit_seat; /* tick 0: none did */
    uint64_t hash;
    /* In the caller's memory. */
    char *past; /* FRAY_SIMULATE_PAST states, a ring */
    char *state, *view, *inputs, *memories;
    uint8_t *given;
    struct fray_replay_rewind *rewinds; /* of the step in hand */
    uint32_t rewinds_count;
};

/* Bots alone when they fill a game, else as many guests as the game wants. */
uint32_t fray_simulate_guests(const struct fray_game *game, uint32_t bots);
size_t fray_simulate_size(const struct fray_game *game);
/* `memory` is fray_simulate_size bytes, 8-byte aligned, zeroed or not, the caller's for as long as
 * the simulation is used. */
void fray_simulate_init(struct fray_simulate *simulate, const struct fray_game *game,
                        const struct fray_simulate_config *config, void *memory);
void fray_simulate_run(struct fray_simulate *simulate, uint32_t ticks);
uint64_t fray_simulate_hash(const struct fray_simulate *simulate);
/* Writes the end of the replay. */
void fray_simulate_end(struct fray_simulate *simulate);

#endif
