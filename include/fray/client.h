/* fray/client.h: a player of fray's matches in a C program: bots, tools, native games.
 *
 *     const struct fray_game *duel = fray_client_rules("duel");
 *     fray_clients *clients = fray_clients_create();
 *     fray_client *client = fray_client_create(clients, &(struct fray_client_config){
 *         .url = "ws://127.0.0.1:8080", .name = "Ann", .rules = duel});
 *     fray_client_quick_play(client, "duel");
 *     for (;;) {
 *         fray_clients_turn(clients, 5);
 *         const void *me = fray_client_drawn(client), *others = fray_client_interpolated(client);
 *         uint32_t seat = fray_client_seat(client);
 *         if (!me || !others)
 *             continue;
 *         fray_game_set_input(duel, fray_client_input(client), "walk", 1); // until told otherwise
 *         printf("I am at %lld, %s at %lld\n",
 *                (long long)fray_game_get(duel, me, "players", seat, "x") / 256,
 *                fray_client_name(client, !seat),
 *                (long long)fray_game_get(duel, others, "players", !seat, "x") / 256);
 *     }
 *
 * A client connects to the namespace /games over WebSocket (docs/games.md, docs/protocols.md), is
 * seated, sends its inputs ahead of the server's ticks, predicts its own future with the rules,
 * shows the others a moment ago, and comes back into its seat, or to where it watched, when the
 * connection was lost: when it breaks, or nothing came for 15 seconds.
 *
 * The rules are those of this build, or the program's own struct fray_game. Without them a match is
 * heard of as messages only. When the server has others of that name, on_other_rules says so:
 * nothing is predicted, and what is shown may be wrong, or nothing at all. What is in views and
 * inputs is said by the rules' tables (fray/game.h: fray_game_get, fray_game_set_input), or by the
 * game's own header.
 *
 * It is the netcode of pages (web/sdk), in the same source. Two things they do it does not: it
 * falls back on no other transport, and sends no log after a desync (docs/replays.md).
 *
 * Thread: a fray_clients and all that belongs to it is one thread's. Handlers run inside
 * fray_clients_turn; they may call anything but fray_clients_turn and fray_clients_destroy. What
 * they are given lives until they return. Times are those of CLOCK_MONOTONIC. */
#ifndef FRAY_CLIENT_H
#define FRAY_CLIENT_H

#include <jansson.h>

#include "fray/err.h"
#include "fray/game.h"

/* The rules that this build of fray has by that name ("duel"); NULL: none. Any thread. */
FRAY_API const struct fray_game *fray_client_rules(const char *game);

typedef struct fray_clients fray_clients; /* one event loop for any number of clients */
typedef struct fray_client fray_client;

FRAY_API fray_clients *fray_clients_create(void); /* NULL: errno says why */
/* Waits for at most wait_ms, less when something happens or a tick is due, and handles it. */
FRAY_API void fray_clients_turn(fray_clients *clients, unsigned wait_ms);
/* Its clients end with it, but do not leave: seats are kept for who comes back, as after any lost
 * connection (docs/games.md; `reconnect` with what `joined` said). */
FRAY_API void fray_clients_destroy(fray_clients *clients);

struct fray_client_config {
    const char *url;   /* "ws://host:port" or "wss://…"; a path before /ws may follow */
    const char *name;  /* to be shown; NULL: a guest's */
    const char *token; /* a JWT, where the server asks for one; or NULL */
    const struct fray_game *rules; /* the same as the server's, see on_other_rules; or NULL */
    unsigned snapshot_hz;          /* wished, 10 … 60; 0: what the match has */
    unsigned input_batch;          /* ticks whose inputs go in one packet, 1 … 4; 0: one, of games
                                      above 30 Hz two. More means fewer packets, and later */
    bool no_prediction;            /* spares the steps: for bots that act on what they are sent */
    /* To be drawn smoothly, beside places: fields such as "players.aim_x", up to a NULL; or NULL */
    const char *const *interpolate;
    double teleport_px; /* a tick: who goes further did not walk, and is shown at once; 0: 24 */
    double snap_px;     /* a correction of more is not smoothed, a tenth of the screen; 0: 96 */
    /* Of wss, for a server with --tls-self-signed: whoever answers gets the token. Otherwise the
     * certificate must be for the URL's host, and by an authority that OpenSSL knows here, or that
     * the environment's SSL_CERT_FILE or SSL_CERT_DIR holds. */
    bool trusts_any_certificate;
    void *app; /* passed to the handlers */

    /* All optional. */
    /* Whatever the server says in JSON: `joined`, `match`, `chat_message`, `kicked`, …; an `error`
     * has content {code, type, message}. */
    void (*on_message)(fray_client *client, const char *type, const json_t *content, void *app);
    /* A game's event, when fray_client_interpolated shows the tick in which it happened. */
    void (*on_event)(fray_client *client, const struct fray_game_event *event, uint32_t tick,
                     void *app);
    /* Events are gone that were not told yet: the connection was too slow for them. */
    void (*on_events_lost)(fray_client *client, void *app);
    /* The server's view of this tick was another, by its hash. The server has been told, and sends
     * a complete one: nothing has to be done. */
    void (*on_desync)(fray_client *client, uint32_t tick, void *app);
    /* The server's rules are not config.rules: of another version, or of other sources; or it is of
     * another fray, and its packets are not understood. Nothing is predicted then; where tables
     * differ, what is shown is wrong, or nothing. `message` is a sentence that says which, for
     * whoever builds the program. Once in each match. */
    void (*on_other_rules)(fray_client *client, const char *message, void *app);
    /* Once a connection is lost or refused; it is tried again, unless the server closed it for good
     * (code 1008 or 4000 … 4999). `reason` is a sentence or the close frame's words. Code 1015: the
     * certificate is not trusted, and nothing was sent. That is tried again too, for it may be
     * renewed; who does not want to wait for that destroys the client. */
    void (*on_lost)(fray_client *client, unsigned code, const char *reason, bool is_final,
                    void *app);
};

/* Begins to connect, in the next turn. NULL: the URL is none, or its host is not known. Strings are
 * copied.
 *
 * It waits for the look-up of the host's name, which may take seconds; there is no other, so who
 * comes back comes to the same addresses. When nobody answers at one (refuses, or is silent for 15
 * seconds), the next is tried. */
FRAY_API fray_client *fray_client_create(fray_clients *clients,
                                         const struct fray_client_config *config);
/* Leaves, as fray_client_leave does, and ends: no handler is called any more. */
FRAY_API void fray_client_destroy(fray_client *client);

/* Sends a message of docs/games.md; what is said while no connection stands waits for the next, 64
 * messages at most. `content` is taken, may be NULL. Nothing is sent on FRAY_ERR_TYPE: it is no
 * JSON, as when a text in it is not UTF-8; FRAY_ERR_LIMIT: too much waits; FRAY_ERR_CLOSED: the
 * server closed it for good. */
FRAY_API enum fray_err fray_client_send(fray_client *client, const char *type, json_t *content);
/* The commonest, with the same errors. `options` are the game's, taken, or NULL. */
FRAY_API enum fray_err fray_client_quick_play(fray_client *client, const char *game);
FRAY_API enum fray_err fray_client_create_match(fray_client *client, const char *game,
                                                json_t *options);
FRAY_API enum fray_err fray_client_join(fray_client *client, const char *match, bool as_spectator);
FRAY_API enum fray_err fray_client_chat(fray_client *client, const char *text); /* to its match */
/* Nothing of the match is told any more, nor is anything said that waits for a connection; while
 * that is lost, the seat is given up as soon as it is there again. */
FRAY_API void fray_client_leave(fray_client *client);

/* ------------------------------------------------------------------ the match that it is in */

FRAY_API const char *fray_client_match(const fray_client *client); /* its id; "": in none */
FRAY_API uint32_t fray_client_seat(const fray_client *client);     /* or FRAY_GAME_NOBODY */
/* Who sits there; NULL: nobody. Until the next turn. */
FRAY_API const char *fray_client_name(const fray_client *client, uint32_t seat);

/* The input that is held, rules->input_size bytes, to be written at any time: it is sampled once a
 * tick; impulses (FRAY_GAME_ONCE) are cleared then. NULL without rules. */
FRAY_API void *fray_client_input(fray_client *client);
/* A view (fray_game_view) of the own seat at the client's present: the newest snapshot, stepped on
 * with the inputs that the server has not answered. NULL: nothing came yet, there is no seat,
 * config.no_prediction, or the server has other rules (on_other_rules). */
FRAY_API const void *fray_client_predicted(fray_client *client);
/* The same to be drawn: places between its last two ticks, and the own one off by what is left of a
 * correction, which fades in 100 ms. */
FRAY_API const void *fray_client_drawn(fray_client *client);
/* A view between two snapshots, places (x, y) in between too: the others, a moment ago. NULL:
 * nothing came yet that could be read. */
FRAY_API const void *fray_client_interpolated(fray_client *client);
/* The newest view that came, as it was sent. NULL: none yet. */
FRAY_API const void *fray_client_newest(const fray_client *client);

struct fray_client_stats {
    double rtt_ms, jitter_ms; /* of packets there and back */
    double loss;              /* of snapshots, 0 … 1 */
    double snapshot_age_ms, interpolation_delay_ms;
    double server_tick;  /* of the match, now, by the clock; 0: not known yet */
    double input_margin; /* ticks that inputs arrive before they are used */
    double dilation;     /* pace of the client's ticks, 0.95 … 1.05 */
    uint64_t bytes_in, bytes_out, packets_in, packets_out, snapshots;
    uint64_t corrections; /* the own place turned out to be another than was predicted */
    double correction_px; /* by how much, the last time */
    uint64_t desyncs;     /* views that differed from the server's by their hash */
    uint64_t refused;     /* packets that could not be understood */
    uint64_t reconnects;
    bool is_lagging; /* nothing came for so long that all stands still */
};

FRAY_API void fray_client_stats(fray_client *client, struct fray_client_stats *stats);

#endif
