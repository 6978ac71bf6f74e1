/* MQTT 3.1.1 over TCP, with a clean session. */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "connection.h"
#include "text.h"
#include "wire/mqtt_decode.h"
#include "wire/mqtt_encode.h"

struct mqtt_client {
    struct client client;
    struct connection connection;
    uint16_t packet_id; /* of the last SUBSCRIBE or PUBLISH */
};

static const struct fray_mqtt_encode_options encode_options = {.version = FRAY_MQTT_3_1_1};
static const struct fray_mqtt_decode_options decode_options = {.version = FRAY_MQTT_3_1_1,
                                                               .sender = FRAY_MQTT_SERVER};

static struct mqtt_client *of(struct client *client)
{
    return (struct mqtt_client *)client;
}

static void fail(struct mqtt_client *self, const char *reason)
{
    connection_close(&self->connection);
    client_lost(&self->client, reason);
}

static uint16_t next_packet_id(struct mqtt_client *self)
{
    if (!++self->packet_id)
        self->packet_id = 1;
    return self->packet_id;
}

/* ------------------------------------------------------------------ out */

static void send_packet(struct mqtt_client *self, const struct fray_mqtt_packet *packet)
{
    struct fray_buf bytes = {0};
    if (fray_mqtt_encode(&bytes, &encode_options, packet))
        fail(self, "a packet is longer than MQTT allows");
    else
        connection_write(&self->connection, fray_buf_slice(&bytes));
    fray_buf_deinit(&bytes);
}

static void on_open(struct connection *connection)
{
    struct mqtt_client *self = connection->owner;
    char id[32];
    int len = snprintf(id, sizeof id, "load%d-%u", (int)getpid(), self->client.index);
    send_packet(self,
                &(struct fray_mqtt_packet){.type = FRAY_MQTT_CONNECT,
                                           .connect = {.version = FRAY_MQTT_3_1_1,
                                                       .clean_start = true,
                                                       .keep_alive_s = 120,
                                                       .client_id = fray_slice(id, (size_t)len)}});
}

static void subscribe(struct mqtt_client *self)
{
    struct fray_mqtt_filter filter = {.filter = fray_slice_of(self->client.topic),
                                      .qos = (uint8_t)self->client.bench->options.qos};
    struct fray_buf filters = {0};
    if (fray_mqtt_filter_append(&filters, FRAY_MQTT_3_1_1, FRAY_MQTT_SUBSCRIBE, &filter))
        fail(self, "a topic is longer than MQTT allows");
    else
        send_packet(self,
                    &(struct fray_mqtt_packet){.type = FRAY_MQTT_SUBSCRIBE,
                                               .subscribe = {.packet_id = next_packet_id(self),
                                                             .filters = fray_buf_slice(&filters)}});
    fray_buf_deinit(&filters);
}

static void send_ack(struct mqtt_client *self, enum fray_mqtt_type type, uint16_t packet_id)
{
    struct fray_buf bytes = {0};
    fray_mqtt_encode_ack(&bytes, FRAY_MQTT_3_1_1, type, packet_id, FRAY_MQTT_SUCCESS);
    connection_write(&self->connection, fray_buf_slice(&bytes));
    fray_buf_deinit(&bytes);
}

static void send_message(struct client *client, const struct message *message)
{
    struct mqtt_client *self = of(client);
    uint8_t qos = (uint8_t)client->bench->options.qos;
    struct fray_buf text = {0};
    text_append_payload(&text, message, message->size);
    send_packet(self,
                &(struct fray_mqtt_packet){.type = FRAY_MQTT_PUBLISH,
                                           .publish = {.qos = qos,
                                                       .packet_id = qos ? next_packet_id(self) : 0,
                                                       .topic = fray_slice_of(client->topic),
                                                       .payload = fray_buf_slice(&text)}});
    fray_buf_deinit(&text);
}

/* ------------------------------------------------------------------ in */

static void on_publish(struct mqtt_client *self, const struct fray_mqtt_publish *publish)
{
    if (publish->qos)
        send_ack(self, publish->qos == 1 ? FRAY_MQTT_PUBACK : FRAY_MQTT_PUBREC, publish->packet_id);
    client_received(&self->client, publish->payload);
}

static void on_packet(struct mqtt_client *self, const struct fray_mqtt_packet *packet)
{
    switch (packet->type) {
    case FRAY_MQTT_CONNACK:
        if (packet->connack.reason)
            fail(self, "the server refused CONNECT");
        else if (self->client.listens)
            subscribe(self);
        else
            client_ready(&self->client);
        break;
    case FRAY_MQTT_SUBACK: client_ready(&self->client); break;
    case FRAY_MQTT_PUBLISH: on_publish(self, &packet->publish); break;
    case FRAY_MQTT_PUBREC: send_ack(self, FRAY_MQTT_PUBREL, packet->ack.packet_id); break;
    case FRAY_MQTT_PUBREL: send_ack(self, FRAY_MQTT_PUBCOMP, packet->ack.packet_id); break;
    default: break;
    }
}

static size_t on_bytes(struct connection *connection, char *data, size_t len)
{
    struct mqtt_client *self = connection->owner;
    struct fray_mqtt_packet packet;
    enum fray_mqtt_reason reason;
    size_t at = 0;
    while (connection->fd >= 0) {
        enum fray_err err =
            fray_mqtt_decode(&decode_options, fray_slice(data + at, len - at), &packet, &reason);
        if (err == FRAY_ERR_AGAIN)
            break;
        if (err) {
            fail(self, fray_mqtt_reason_name(reason));
            break;
        }
        at += packet.size;
        on_packet(self, &packet);
    }
    return at;
}

static void on_close(struct connection *connection)
{
    struct mqtt_client *self = connection->owner;
    client_lost(&self->client, "the server closed the connection");
}

/* ------------------------------------------------------------------ the client */

static void open_client(struct client *client)
{
    struct mqtt_client *self = of(client);
    self->packet_id = 0;
    self->connection = (struct connection){
        .fd = -1, .owner = self, .on_open = on_open, .on_bytes = on_bytes, .on_close = on_close};
    connection_open(&self->connection, &client->bench->network);
}

static void cork_client(struct client *client)
{
    connection_cork(&of(client)->connection);
}

static void uncork_client(struct client *client)
{
    connection_uncork(&of(client)->connection);
}

static void close_client(struct client *client)
{
    connection_close(&of(client)->connection);
}

const struct protocol protocol_mqtt = {
    .name = "mqtt",
    .move_mark = "TS:",
    .client_size = sizeof(struct mqtt_client),
    .open = open_client,
    .send = send_message,
    .cork = cork_client,
    .uncork = uncork_client,
    .close = close_client,
};
