/* Encodes MQTT control packets, of either role, onto the end of a caller's buffer. No state, any
 * thread. The caller answers for what it says: strings are MQTT strings (1.5.4), topics, filters
 * and reasons are valid for the packet and version. Lengths are checked. */
#ifndef FRAY_WIRE_MQTT_ENCODE_H
#define FRAY_WIRE_MQTT_ENCODE_H

#include "base/buf.h"
#include "fray/err.h"
#include "wire/mqtt.h"

struct fray_mqtt_encode_options {
    enum fray_mqtt_version version; /* the connection's; CONNECT goes by its own */
    uint32_t maximum_packet_size; /* what the peer takes, in bytes; 0: no limit but the format's */
    /* The peer asked for no problem information: reason strings and user properties go into
     * PUBLISH, CONNACK and DISCONNECT only [MQTT-3.1.2-29]. */
    bool omit_problem_information;
};

/* Appends the packet. Properties are written in 5.0 only, and only those that the packet may have.
 * Where the packet would be too large, reason string and user properties are left out of whatever
 * may go without them ([MQTT-3.2.2-19], [MQTT-3.4.2-2] and their like).
 *
 * On an error nothing is appended.
 *   FRAY_ERR_LIMIT        a string over 65,535 bytes, or a packet over the peer's or MQTT's limit
 *   FRAY_ERR_UNSUPPORTED  the version has no such packet, or no return code for CONNACK's reason */
FRAY_MUST_CHECK enum fray_err fray_mqtt_encode(struct fray_buf *buf,
                                               const struct fray_mqtt_encode_options *options,
                                               const struct fray_mqtt_packet *packet);

/* Appends a PUBACK, PUBREC, PUBREL or PUBCOMP without properties: what traffic mostly consists of.
 * A reason other than success is not on the wire before 5.0. */
void fray_mqtt_encode_ack(struct fray_buf *buf, enum fray_mqtt_version version,
                          enum fray_mqtt_type type, uint16_t packet_id,
                          enum fray_mqtt_reason reason);

/* Appends a PINGREQ or PINGRESP. */
void fray_mqtt_encode_ping(struct fray_buf *buf, enum fray_mqtt_type type);

/* Builds the `filters` of a SUBSCRIBE (or UNSUBSCRIBE, whose options are not written), for the
 * given version. FRAY_ERR_LIMIT: the filter is longer than 65,535 bytes; nothing is appended. */
FRAY_MUST_CHECK enum fray_err fray_mqtt_filter_append(struct fray_buf *filters,
                                                      enum fray_mqtt_version version,
                                                      enum fray_mqtt_type type,
                                                      const struct fray_mqtt_filter *filter);

#endif
