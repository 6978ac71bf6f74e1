/* The arena of the landing page: one endless match of games/arena in the namespace /arena.
 *
 * Who connects watches; `play` takes a seat, `leave` gives it up. While fewer than
 * FRAY_ARENA_FIGHTERS play, bots do. It ticks only while somebody is connected.
 *
 *     client → server   play {name}        takes a seat; acknowledged with {seat}
 *                       steer {dx, dy}     ±127 each is full pace; goes on until told otherwise
 *                       attack {seen}      seen: the tick, with fraction, of what the attacker sees
 *                       leave {}           acknowledged, as is ping_me: for measuring round trips
 *     server → client   map {width, height, …}          once
 *                       roster [{seat, name, bot}, …]  whenever somebody comes or goes
 *                       state {tick, players}          20 times a second, class latest
 *                       killed {seat, by}              seats
 *                       away {}                        the seat was given up for want of input
 *
 * A player in `state` is [seat, x, y, hp, swings, score, deaths], x and y in 1/10 px. */
#ifndef FRAY_SERVER_ARENA_APP_H
#define FRAY_SERVER_ARENA_APP_H

#include "fray/fray.h"

enum {
    FRAY_ARENA_FIGHTERS = 8,     /* bots make up what players lack */
    FRAY_ARENA_PLAYERS_MAX = 60, /* what a phone's screen and 64 kb/s each can show */
    FRAY_ARENA_IDLE_S = 60,      /* without input, then the seat is for others */
};

struct fray_arena_app;

/* The application must outlive the server that it is added to; the handlers run on its namespace's
 * home thread. */
struct fray_arena_app *fray_arena_app_create(void);
void fray_arena_app_destroy(struct fray_arena_app *arena);
struct fray_app fray_arena_app_describe(struct fray_arena_app *arena);

#endif
