/* What the parts of the MQTT decoder share; for mqtt_decode*.c only. */
#ifndef FRAY_WIRE_MQTT_DECODE_BODY_H
#define FRAY_WIRE_MQTT_DECODE_BODY_H

#include "wire/mqtt_decode.h"
#include "wire/mqtt_wire.h"

/* A packet's variable header and payload while they are read. */
struct fray_mqtt_body {
    struct fray_mqtt_reader reader;
    const struct fray_mqtt_decode_options *options;
    enum fray_mqtt_version version; /* the connection's; CONNECT sets its own */
    uint8_t flags;                  /* of the fixed header */
};

void fray_mqtt_get_connect(struct fray_mqtt_body *body, struct fray_mqtt_packet *packet);
void fray_mqtt_get_connack(struct fray_mqtt_body *body, struct fray_mqtt_packet *packet);

/* Whether a payload is what its payload format indicator claims (3.3.2.3.2). */
bool fray_mqtt_payload_format_valid(const struct fray_mqtt_properties *properties,
                                    struct fray_slice payload);

#endif
