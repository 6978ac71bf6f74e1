/* The views that came in snapshots, by sequence number, and what to acknowledge of them. What is
 * seen is kept until something takes its place, though nothing can be decoded against it any more.
 * Owner: the netcode, whose memory the states are in. Freestanding, pure. */
#ifndef FRAY_CLIENT_SNAPSHOTS_H
#define FRAY_CLIENT_SNAPSHOTS_H

#include "packet.h"

enum { FRAY_CLIENT_VIEWS = 32 }; /* as many baselines as the server may name */

struct fray_client_view {
    bool is_there;
    uint16_t seq; /* as a baseline; 0: it is none */
    uint32_t tick;
};

struct fray_client_snapshots {
    const struct fray_game *game;
    char *states; /* FRAY_CLIENT_VIEWS of them */
    struct fray_client_view views[FRAY_CLIENT_VIEWS];
    int newest;   /* by tick; −1: nothing came yet */
    uint16_t ack; /* as in struct fray_packet_input */
    uint32_t ack_bits;
    bool needs_full; /* the newest could not be decoded */
    bool is_anew;    /* the next is of another time than those before it */
    uint64_t received, missed;
};

enum fray_client_snapshot_fate {
    FRAY_CLIENT_SNAPSHOT_TAKEN,
    FRAY_CLIENT_SNAPSHOT_USELESS, /* known, too old, or against what is not there any more */
    FRAY_CLIENT_SNAPSHOT_MALFORMED,
};

void fray_client_snapshots_init(struct fray_client_snapshots *snapshots,
                                const struct fray_game *game, char *states);
/* The server begins anew: a connection is new, or a game. */
void fray_client_snapshots_restart(struct fray_client_snapshots *snapshots);
/* Any bytes. `packet` is what they say beside the view. */
enum fray_client_snapshot_fate
fray_client_snapshots_receive(struct fray_client_snapshots *snapshots, uint32_t seat,
                              struct fray_packet_snapshot *packet, const void *bytes, size_t len);

char *fray_client_snapshots_state(const struct fray_client_snapshots *snapshots, int view);
/* The last view that is not after this tick, and the first after it; −1: none. */
int fray_client_snapshots_before(const struct fray_client_snapshots *snapshots, double tick);
int fray_client_snapshots_after(const struct fray_client_snapshots *snapshots, double tick);

#endif
