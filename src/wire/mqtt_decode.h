/* Decodes MQTT control packets, of either role, from a buffer that the caller owns. Zero-copy, no
 * state, any thread. Everything that a single packet can do wrong is caught here; what needs to
 * know the session (a second CONNECT, receive maximum, unknown aliases) is the protocol's. */
#ifndef FRAY_WIRE_MQTT_DECODE_H
#define FRAY_WIRE_MQTT_DECODE_H

#include "fray/err.h"
#include "wire/mqtt.h"

struct fray_mqtt_decode_options {
    /* The connection's. While it is unknown only CONNECT is let through; CONNECT is always read by
     * the level that it states itself. */
    enum fray_mqtt_version version;
    enum fray_mqtt_role sender;   /* who wrote the bytes: a server decodes what a client sent */
    uint32_t maximum_packet_size; /* bytes, fixed header included; 0: no limit but the format's */
    uint16_t topic_alias_maximum; /* what we announced; a PUBLISH beyond it is refused */
    bool check_payload_format;    /* payloads that claim to be UTF-8 must be (3.3.2.3.2) */
};

/* Decodes the packet at the front of `bytes` into *packet; packet->size bytes are consumed.
 *
 * FRAY_ERR_AGAIN: more bytes are needed. packet->size is then the size of the whole packet, or 0
 * while its length has not come. The first byte and the length are judged as soon as they are
 * there.
 *
 * Any other error ends the connection (4.13), and *reason says what MQTT 5.0 puts into CONNACK or
 * DISCONNECT; older versions close, and answer CONNECT with fray_mqtt_return_code_of where there is
 * one. packet->type is set, and for CONNECT connect.version as far as it could be read: it says in
 * which version to answer.
 *   FRAY_ERR_SYNTAX       malformed 0x81, or against the protocol 0x82, or a wrong topic 0x90,
 *                         filter 0x8F, alias 0x94
 *   FRAY_ERR_UTF8         text that is not an MQTT string (1.5.4), 0x81
 *   FRAY_ERR_LIMIT        larger than maximum_packet_size, 0x95
 *   FRAY_ERR_UNSUPPORTED  a protocol name or level that is not one of ours, 0x84
 *   FRAY_ERR_TYPE         client identifier not valid 0x85, or payload format invalid 0x99. The
 *                         packet is complete in both cases: a PUBLISH may be answered with a PUBACK
 *                         or PUBREC that carries 0x99 instead of closing
 *   FRAY_ERR_STATE        a packet that this sender may not send, or before CONNECT, 0x82 */
FRAY_MUST_CHECK enum fray_err fray_mqtt_decode(const struct fray_mqtt_decode_options *options,
                                               struct fray_slice bytes,
                                               struct fray_mqtt_packet *packet,
                                               enum fray_mqtt_reason *reason);

/* Takes the next filter off a decoded SUBSCRIBE's or UNSUBSCRIBE's `filters`; *rest starts as it.
 * False at the end. */
bool fray_mqtt_filter_next(struct fray_slice *rest, enum fray_mqtt_type type,
                           struct fray_mqtt_filter *filter);

#endif
