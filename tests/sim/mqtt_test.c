/* MQTT clients on a lossy network: publishers and subscribers with lasting sessions lose their
 * connections at random, and take up their exchanges where they were (MQTT 4.3, 4.4). What was
 * acknowledged at QoS 1 arrives at least once, at QoS 2 exactly once and in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/mqtt_decode.h"
#include "wire/mqtt_encode.h"
#include "world.h"

enum { PAIRS = 8, MESSAGES = 150, TICK_MS = 700, ROUNDS_MAX = 3000, ROUND_MS = 100 };

struct peer {
    struct sim_connection connection; /* first */
    struct fray_timer tick;
    char name[16];
    struct fray_slice topic;
    uint8_t qos;
    bool is_subscriber, is_connected, is_waiting; /* waiting: said something without an answer */
    bool has_subscribed;
    unsigned number;      /* a publisher's: the message under way; those before are acknowledged */
    bool is_released;     /* and its PUBREC came */
    unsigned next, again; /* a subscriber's: the number due, those that came again */
    bool holds[65536];    /* packet ids of QoS 2 that await their PUBREL */
};

static struct sim_world world;
static struct peer peers[3 * 2 * PAIRS]; /* zeroed for each seed */
static unsigned peers_count, losses;

static void send_packet(struct peer *peer, const struct fray_mqtt_packet *packet)
{
    struct fray_mqtt_encode_options options = {.version = FRAY_MQTT_5};
    struct fray_buf bytes = {0};
    sim_check(&world, !fray_mqtt_encode(&bytes, &options, packet));
    sim_connection_write(&peer->connection, fray_buf_slice(&bytes));
    fray_buf_deinit(&bytes);
}

static void send_ack(struct peer *peer, enum fray_mqtt_type type, uint16_t packet_id)
{
    send_packet(peer, &(struct fray_mqtt_packet){.type = type, .ack = {.packet_id = packet_id}});
}

static void open_connection(struct peer *peer)
{
    struct fray_mqtt_packet packet = {
        .type = FRAY_MQTT_CONNECT,
        .connect = {.version = FRAY_MQTT_5, .client_id = fray_slice_of(peer->name)}};
    packet.connect.properties.present = FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_SESSION_EXPIRY_INTERVAL);
    packet.connect.properties.session_expiry_interval = 3600;
    peer->is_connected = false;
    sim_connection_open(&peer->connection);
    send_packet(peer, &packet);
}

static void subscribe(struct peer *peer)
{
    struct fray_mqtt_packet packet = {.type = FRAY_MQTT_SUBSCRIBE};
    struct fray_mqtt_filter filter = {.filter = peer->topic, .qos = peer->qos};
    struct fray_buf filters = {0};
    sim_check(&world,
              !fray_mqtt_filter_append(&filters, FRAY_MQTT_5, FRAY_MQTT_SUBSCRIBE, &filter));
    packet.subscribe.packet_id = 1;
    packet.subscribe.filters = fray_buf_slice(&filters);
    send_packet(peer, &packet);
    fray_buf_deinit(&filters);
}

static uint16_t id_of(unsigned number)
{
    return (uint16_t)(number % 60000 + 1);
}

/* Begins, or after a loss goes on with, the message under way. */
static void publish(struct peer *peer, bool is_again)
{
    char text[16];
    if (peer->number == MESSAGES)
        return;
    if (peer->is_released) {
        send_ack(peer, FRAY_MQTT_PUBREL, id_of(peer->number));
        return;
    }
    struct fray_mqtt_packet packet = {.type = FRAY_MQTT_PUBLISH};
    snprintf(text, sizeof text, "%u", peer->number);
    packet.publish = (struct fray_mqtt_publish){.qos = peer->qos,
                                                .dup = is_again && peer->qos,
                                                .packet_id = peer->qos ? id_of(peer->number) : 0,
                                                .topic = peer->topic,
                                                .payload = fray_slice_of(text)};
    send_packet(peer, &packet);
    if (!peer->qos)
        peer->number++;
}

/* A number is due, or came before: at QoS 1 again, at QoS 0 some are lost, at QoS 2 neither. */
static void take(struct peer *peer, const struct fray_mqtt_publish *publish)
{
    char text[16] = "";
    memcpy(text, publish->payload.data, publish->payload.len);
    unsigned number = (unsigned)strtoul(text, NULL, 10);
    if (peer->qos == 0)
        sim_check(&world, number >= peer->next);
    else
        sim_check(&world, number <= peer->next);
    if (number < peer->next) {
        sim_check(&world, peer->qos == 1);
        peer->again++;
    } else {
        peer->next = number + 1;
    }
}

static void on_publish(struct peer *peer, const struct fray_mqtt_publish *publish)
{
    sim_check(&world, publish->qos == peer->qos);
    if (publish->qos < 2 || !peer->holds[publish->packet_id])
        take(peer, publish);
    peer->holds[publish->packet_id] = publish->qos == 2;
    if (publish->qos == 1)
        send_ack(peer, FRAY_MQTT_PUBACK, publish->packet_id);
    if (publish->qos == 2)
        send_ack(peer, FRAY_MQTT_PUBREC, publish->packet_id);
}

static void on_connack(struct peer *peer, const struct fray_mqtt_connack *connack)
{
    sim_check(&world, connack->reason == FRAY_MQTT_SUCCESS);
    sim_check(&world, connack->session_present || !peer->has_subscribed);
    peer->is_connected = true;
    if (peer->is_subscriber && !peer->has_subscribed)
        subscribe(peer);
    else if (!peer->is_subscriber)
        publish(peer, true);
}

static void on_packet(struct peer *peer, const struct fray_mqtt_packet *packet)
{
    switch (packet->type) {
    case FRAY_MQTT_CONNACK: on_connack(peer, &packet->connack); break;
    case FRAY_MQTT_SUBACK: peer->has_subscribed = true; break;
    case FRAY_MQTT_PUBLISH: on_publish(peer, &packet->publish); break;
    case FRAY_MQTT_PUBREC:
        peer->is_released = true;
        publish(peer, false);
        break;
    case FRAY_MQTT_PUBREL:
        peer->holds[packet->ack.packet_id] = false;
        send_ack(peer, FRAY_MQTT_PUBCOMP, packet->ack.packet_id);
        break;
    case FRAY_MQTT_PUBACK:
    case FRAY_MQTT_PUBCOMP:
        sim_check(&world, packet->ack.packet_id == id_of(peer->number));
        peer->is_released = false;
        peer->number++;
        publish(peer, false);
        break;
    default: break; /* PINGRESP, DISCONNECT */
    }
}

static size_t on_bytes(struct sim_connection *connection, char *data, size_t len)
{
    struct peer *peer = (struct peer *)connection;
    struct fray_mqtt_decode_options options = {.version = FRAY_MQTT_5, .sender = FRAY_MQTT_SERVER};
    struct fray_mqtt_packet packet;
    enum fray_mqtt_reason reason;
    size_t used = 0;
    peer->is_waiting = false;
    while (used < len) {
        enum fray_err err =
            fray_mqtt_decode(&options, fray_slice(data + used, len - used), &packet, &reason);
        sim_check(&world, !err || err == FRAY_ERR_AGAIN);
        if (err)
            break;
        on_packet(peer, &packet);
        used += packet.size;
    }
    return used;
}

static void on_end(struct sim_connection *connection)
{
    ((struct peer *)connection)->is_connected = false;
    losses++;
}

/* Opens what was lost; asks whether the other side is there, and gives up where it was not. */
static void on_tick(struct fray_timer *timer, uint64_t now_us)
{
    struct peer *peer = (struct peer *)((char *)timer - offsetof(struct peer, tick));
    fray_timer_arm(&peer->connection.loop->timers, timer, now_us + TICK_MS * UINT64_C(1000));
    if (peer->connection.stream && peer->is_waiting) {
        sim_connection_close(&peer->connection, true);
        losses++;
    }
    if (!peer->connection.stream)
        open_connection(peer);
    else if (peer->is_connected)
        send_packet(peer, &(struct fray_mqtt_packet){.type = FRAY_MQTT_PINGREQ});
    if (!peer->is_subscriber && !peer->qos && peer->is_connected)
        publish(peer, false);
    peer->is_waiting = true;
}

static void add(const char *topic, uint8_t qos, bool is_subscriber)
{
    struct peer *peer = &peers[peers_count];
    *peer = (struct peer){.topic = fray_slice_of(topic), .qos = qos};
    peer->is_subscriber = is_subscriber;
    peer->connection.loop = world.client_loops[peers_count % SIM_CLIENT_LOOPS];
    peer->connection.on_bytes = on_bytes;
    peer->connection.on_end = on_end;
    peer->tick.on_expire = on_tick;
    snprintf(peer->name, sizeof peer->name, "peer%u", peers_count++);
    open_connection(peer);
    fray_timer_arm(&peer->connection.loop->timers, &peer->tick,
                   peer->connection.loop->now_us + TICK_MS * UINT64_C(1000));
}

static void make_lossy(void)
{
    struct fray_sim_options *options = fray_sim_network_options(world.network);
    options->latency_us = 1000 + fray_rng_below(&world.rng, 20000);
    options->lose_segment = (unsigned)fray_rng_below(&world.rng, 60);
    options->segment_max = 1 + fray_rng_below(&world.rng, 100);
    options->reset_segment = (unsigned)fray_rng_below(&world.rng, 8);
    options->stall_segment = (unsigned)fray_rng_below(&world.rng, 8);
}

/* What is sent at QoS 0 may be lost. */
static bool is_done(void)
{
    for (unsigned i = 0; i < peers_count; i++) {
        const struct peer *peer = &peers[i];
        if (peer->qos && (peer->is_subscriber ? peer->next : peer->number) < MESSAGES)
            return false;
    }
    return true;
}

static void run_lossy(uint64_t seed)
{
    static char topics[PAIRS][3][8];
    peers_count = losses = 0;
    sim_world_open(
        &world, seed,
        (struct sim_setting[]){{"workers", "2"}, {"mqtt_sys_interval_ms", "0"}, {NULL, NULL}});
    for (int is_publisher = 0; is_publisher < 2; is_publisher++) {
        for (unsigned i = 0; i < PAIRS; i++) {
            for (uint8_t qos = 0; qos < 3; qos++) {
                snprintf(topics[i][qos], sizeof topics[i][qos], "t/%u/%u", i, qos);
                add(topics[i][qos], qos, !is_publisher);
            }
        }
        if (!is_publisher) { /* all have subscribed before anything is published */
            sim_world_run_ms(&world, 500);
            make_lossy();
        }
    }
    for (unsigned round = 0; round < ROUNDS_MAX && !is_done(); round++) {
        sim_world_run_ms(&world, ROUND_MS);
        for (unsigned i = 0; i < peers_count; i++) {
            if (fray_rng_chance(&world.rng, 10))
                sim_connection_lose(&peers[i].connection,
                                    (enum sim_loss)fray_rng_below(&world.rng, SIM_LOSSES));
        }
    }
    sim_check(&world, is_done());
    unsigned again = 0;
    for (unsigned i = 0; i < peers_count; i++) {
        again += peers[i].again;
        fray_timer_cancel(&peers[i].connection.loop->timers, &peers[i].tick);
        sim_connection_close(&peers[i].connection, true);
    }
    printf("# %u connections lost, %u messages came again at QoS 1\n", losses, again);
    sim_check(&world, losses > 0 && again > 0);
    sim_world_run_ms(&world, 120000); /* the server's keep alive finds those that fell silent */
    sim_world_close(&world);
}

static void acknowledged_messages_survive_any_loss_of_connections(void **state)
{
    (void)state;
    sim_for_each_seed(4, run_lossy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledged_messages_survive_any_loss_of_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
