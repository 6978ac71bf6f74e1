/* QoS 2 from one client (MQTT 4.3.3): the packet ids between PUBLISH and PUBREL, so that a message
 * that is sent again is not passed on again. Part of the session: kept across connections. Bounded.
 * Zero-initialised is empty and holds no memory. Pure; one thread. */
#ifndef FRAY_BROKER_QOS_INCOMING_H
#define FRAY_BROKER_QOS_INCOMING_H

#include <stdint.h>

#include "fray/err.h"

struct fray_qos_incoming {
    uint16_t *ids; /* a hash table, at most half full; 0 is free */
    uint32_t cap;  /* 0 or a power of two */
    uint32_t count;
};

void fray_qos_incoming_deinit(struct fray_qos_incoming *in);

/* A QoS 2 PUBLISH came. packet_id is not 0 (the decoder refuses it). FRAY_OK: new, pass the message
 * on and answer PUBREC.
 *   FRAY_ERR_EXISTS  it was passed on already: answer PUBREC again, whatever DUP says
 *   FRAY_ERR_LIMIT   more than `receive_maximum` (what we announced) are open: 0x93 [MQTT-3.3.4-8]
 */
FRAY_MUST_CHECK enum fray_err fray_qos_incoming_publish(struct fray_qos_incoming *in,
                                                        uint16_t packet_id,
                                                        uint16_t receive_maximum);

/* A PUBREL came, or we answered PUBREC with a failure (0x80 and up): the id is free again.
 * FRAY_ERR_NOT_FOUND: it was; answer PUBCOMP all the same, in 5.0 with 0x92. */
FRAY_MUST_CHECK enum fray_err fray_qos_incoming_release(struct fray_qos_incoming *in,
                                                        uint16_t packet_id);

#endif
