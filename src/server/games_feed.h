/* Clients of /games that speak the game protocol: a socket that said HELLO has a feed, and gets
 * snapshots instead of states and events as JSON. Between games_*.c; home thread.
 *
 * Owner: the socket's place, until the socket leaves the match or ends. */
#ifndef FRAY_SERVER_GAMES_FEED_H
#define FRAY_SERVER_GAMES_FEED_H

#include "game/snapshots.h"
#include "server/games_request.h"

struct fray_games_feed {
    struct fray_games_feed *next, **link; /* of the match's */
    fray_socket *socket;
    struct fray_match *match;
    struct fray_viewer *viewer;
    uint16_t seq; /* of the last packet of the viewers before */
    struct fray_packet_hello hello;
    uint32_t seat; /* or FRAY_GAME_NOBODY */
};

/* A HELLO: begins a feed, or begins it again. */
void fray_games_feed_begin(const struct fray_games_request *request, struct fray_match *match,
                           const struct fray_packet_hello *hello);
/* NULL is fine. */
void fray_games_feed_end(struct fray_games_feed *feed);
/* The match has begun, or begins anew: ticks count from 0 again. `of_the_past`: for those who are
 * shown it (game/delay.h), else for all others. */
void fray_games_feeds_begin_again(struct fray_match *match, bool of_the_past);
/* What is due with any of the ticks since `before`. */
void fray_games_feeds_send(struct fray_games *games, struct fray_match *match, bool of_the_past,
                           uint32_t before);
void fray_games_packet_send(fray_socket *socket, const void *bytes, size_t len);

#endif
