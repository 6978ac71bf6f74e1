/* The whole server and its clients in one process, on a simulated network and fake time, and a
 * model that knows what every client must have seen.
 *
 * The application numbers whatever it sends with one serial. A *lineage* is a socket with all that
 * it was recovered as: the model lists the serials of the reliable events that it is owed, in
 * order, from its first connection on, and each client checks every event that arrives against the
 * list of its lineage. So a lost, doubled or reordered event fails where it happens.
 *
 * All that is random comes from the seed: FRAY_SIM_SEED replays a run, FRAY_SIM_RUNS makes more. */
#ifndef FRAY_SIM_WORLD_H
#define FRAY_SIM_WORLD_H

#include "client.h"
#include "server/server.h"

enum { SIM_CLIENTS_MAX = 512, SIM_WORKERS_MAX = 4, SIM_CLIENT_LOOPS = 4, SIM_ROOMS = 5 };

struct sim_setting {
    const char *option, *value;
};

struct sim_lineage {
    struct sim_lineage *next;
    char id[FRAY_TOKEN_LEN + 1];
    uint64_t *owed; /* serials of reliable events, in order */
    size_t owed_count, owed_cap;
    bool is_alive;       /* there, or may be recovered */
    fray_socket *socket; /* NULL: away */
    bool rooms[SIM_ROOMS];
    uint64_t latest; /* the newest serial of class latest that it is owed */
    uint64_t heard;  /* of its client's events, on this connection */
};

/* A client and what it has seen. */
struct sim_player {
    struct sim_client client; /* first */
    struct sim_world *world;
    struct sim_lineage *lineage; /* NULL: never connected */
    size_t seen;                 /* of lineage->owed */
    uint64_t latest, transient;  /* the newest serials seen */
    uint64_t said, answered;     /* of its events on this connection: sent, acknowledged */
    bool is_quiet;               /* sends nothing of its own */
};

struct sim_world {
    uint64_t seed;
    struct fray_rng rng;
    struct fray_sim_network *network;
    fray_server *server;
    fray_namespace *nsp;
    struct fray_loop *client_loops[SIM_CLIENT_LOOPS];
    struct sim_player players[SIM_CLIENTS_MAX];
    unsigned players_count;
    struct sim_lineage *lineages;
    uint64_t serial;
    size_t padding; /* bytes that each reliable event carries beside its serial */
    fray_timer_handle *traffic;
    unsigned questions, answers;   /* acknowledgements asked for by the server, settled */
    unsigned recoveries, refusals; /* clients that came back with their state, and without */
};

/* Starts a server with Socket.IO's defaults but short times; `settings` ends with {NULL}. */
void sim_world_open(struct sim_world *world, uint64_t seed, const struct sim_setting *settings);
/* Adds a client, not connected yet. */
struct sim_player *sim_world_add(struct sim_world *world, enum sim_way way);
void sim_world_run_ms(struct sim_world *world, uint64_t ms);
/* Begins and ends the application's mixed traffic: about 50 sends a second. */
void sim_world_start_traffic(struct sim_world *world);
void sim_world_stop_traffic(struct sim_world *world);
/* One reliable event to everybody. */
void sim_world_broadcast(struct sim_world *world);

/* One event of class latest or transient to everybody. */
void sim_world_send_unreliable(struct sim_world *world, enum fray_class class);

/* A calm network, no traffic: all that are wanted come back and see all that they are owed. */
void sim_world_settle(struct sim_world *world);
/* All leave. Nothing of them is left: sessions, sockets, tickets, connections. Drains the server.
 */
void sim_world_close(struct sim_world *world);

/* The sum of a counter over the workers. */
#define SIM_COUNTER(world, field) sim_world_counter((world), offsetof(struct fray_counters, field))
uint64_t sim_world_counter(const struct sim_world *world, size_t offset);
unsigned sim_world_sessions(const struct sim_world *world);

/* Calls `run` with each seed that the environment asks for, else with `count` ones from 1. */
void sim_for_each_seed(unsigned count, void (*run)(uint64_t seed));

#define sim_check(world, condition)                                                                \
    ((condition) ? (void)0 : sim_failed((world)->seed, #condition, __FILE__, __LINE__))
_Noreturn void sim_failed(uint64_t seed, const char *what, const char *file, int line);

#endif
