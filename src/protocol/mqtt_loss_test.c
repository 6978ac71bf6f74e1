/* A QoS 2 exchange through the broker, with a loss at each of its packets in turn: of the packet's
 * connection, or of the whole broker, which then goes on from its journal. Whatever is lost, the
 * message arrives exactly once (MQTT 4.3.3, 4.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "protocol/mqtt.h"
#include "session/session_fake.h"
#include "wire/mqtt_decode.h"
#include "wire/mqtt_encode.h"

#include <cmocka.h>

enum { ROWS_MAX = 64, ID = 7 };

/* ------------------------------------------------------------------ a journal in memory */

struct row {
    enum fray_journal_table table;
    struct fray_buf key, value;
};

struct memory {
    struct fray_journal journal; /* first */
    struct row rows[ROWS_MAX];   /* in the order of table and key */
    size_t count;
};

static int compare(const struct row *row, enum fray_journal_table table, struct fray_slice key)
{
    if (row->table != table)
        return row->table < table ? -1 : 1;
    size_t len = row->key.len < key.len ? row->key.len : key.len;
    int order = len ? memcmp(row->key.data, key.data, len) : 0;
    return order ? order : (row->key.len > key.len) - (row->key.len < key.len);
}

static void remove_at(struct memory *memory, size_t at)
{
    fray_buf_deinit(&memory->rows[at].key);
    fray_buf_deinit(&memory->rows[at].value);
    memmove(&memory->rows[at], &memory->rows[at + 1],
            (--memory->count - at) * sizeof *memory->rows);
}

static void on_remove(struct fray_journal *journal, enum fray_journal_table table,
                      struct fray_slice key, bool is_prefix)
{
    struct memory *memory = (struct memory *)journal;
    for (size_t i = 0; i < memory->count;) {
        struct fray_slice held = fray_buf_slice(&memory->rows[i].key);
        bool fits = memory->rows[i].table == table &&
                    (is_prefix ? fray_slice_starts(held, key) : fray_slice_equal(held, key));
        if (fits)
            remove_at(memory, i);
        else
            i++;
    }
}

static void on_put(struct fray_journal *journal, enum fray_journal_table table,
                   struct fray_slice key, struct fray_slice value)
{
    struct memory *memory = (struct memory *)journal;
    on_remove(journal, table, key, false);
    size_t at = 0;
    while (at < memory->count && compare(&memory->rows[at], table, key) < 0)
        at++;
    assert_true(memory->count < ROWS_MAX);
    memmove(&memory->rows[at + 1], &memory->rows[at], (memory->count++ - at) * sizeof(struct row));
    memory->rows[at] = (struct row){.table = table};
    fray_buf_append_slice(&memory->rows[at].key, key);
    fray_buf_append_slice(&memory->rows[at].value, value);
}

/* ------------------------------------------------------------------ two clients and a broker */

struct client {
    struct fray_link link; /* first; without a session: not connected */
    struct fray_buf in;    /* what the broker wrote */
    const char *name;
    bool is_subscriber;
    bool has_subscribed, is_connected;
    bool has_pubrec, is_done; /* the publisher's exchange */
    bool holds_id;            /* the subscriber has the message, and awaits its PUBREL */
    unsigned received;
};

struct world {
    struct fake_worker worker;
    struct fray_broker broker;
    struct fray_mqtt_config config;
    struct memory memory;
    struct client clients[2];
    enum fray_mqtt_version version;
    bool kills_broker; /* what a loss is */
    int until_loss;    /* packets; below 0: no more losses */
};

static void on_flush(struct fray_link *link)
{
    struct fray_session *session = link->session;
    struct fray_buf *in = &((struct client *)link)->in;
    while (session->outbox.count) {
        const struct fray_encoding *encoding = session->protocol->encode(
            session->worker, fray_outbox_at(&session->outbox, 0), FRAY_FRAMING_STREAM);
        fray_buf_append(in, encoding->bytes, encoding->len);
        fray_outbox_pop(&session->outbox, 1);
    }
}

static void on_close(struct fray_link *link, enum fray_disconnect reason)
{
    (void)link, (void)reason;
}

static const struct fray_link_ops link_ops = {
    .name = "tcp", .framing = FRAY_FRAMING_STREAM, .flush = on_flush, .close = on_close};

static void broker_open(struct world *world)
{
    static const struct fray_broker_limits limits = {
        .queue_max = 100,
        .queue_bytes_max = 100000,
        .inflight_max = 10,
        .subscriptions_per_session_max = 10,
        .retained_max = 10,
        .retained_bytes_max = 10000,
        .sessions_max = 10,
        .session_expiry_max_s = 1000,
    };
    fray_broker_init(&world->broker, &world->worker.base, &limits);
    world->broker.epoch_us = 1000000000;
    world->broker.journal = &world->memory.journal;
    for (size_t i = 0; i < world->memory.count; i++) {
        const struct row *row = &world->memory.rows[i];
        assert_int_equal(fray_broker_load(&world->broker, row->table, fray_buf_slice(&row->key),
                                          fray_buf_slice(&row->value)),
                         0);
    }
    fray_broker_loaded(&world->broker);
}

static void lose_link(struct client *client)
{
    if (client->link.session)
        fray_link_end(&client->link, FRAY_TRANSPORT_ERROR);
    client->in.len = 0;
    client->is_connected = false;
}

/* SIGKILL: the journal is all that is left. Ending the connections must not tell it anything. */
static void kill_broker(struct world *world)
{
    world->broker.journal = NULL;
    for (int i = 0; i < 2; i++)
        lose_link(&world->clients[i]);
    fray_broker_record(&world->broker);
    fray_broker_deinit(&world->broker);
    fake_worker_turn(&world->worker);
    broker_open(world);
}

static bool is_lost(struct world *world, struct client *client)
{
    if (world->until_loss < 0 || world->until_loss-- > 0)
        return false;
    if (world->kills_broker)
        kill_broker(world);
    else
        lose_link(client);
    return true;
}

static void send_packet(struct world *world, struct client *client,
                        const struct fray_mqtt_packet *packet)
{
    struct fray_mqtt_encode_options options = {.version = world->version};
    struct fray_buf bytes = {0};
    assert_int_equal(fray_mqtt_encode(&bytes, &options, packet), 0);
    if (!is_lost(world, client)) {
        struct fray_session *session = client->link.session;
        assert_non_null(session);
        session->protocol->on_frame(session, &client->link, fray_buf_slice(&bytes), true);
        fray_broker_record(&world->broker);
        fake_worker_turn(&world->worker);
    }
    fray_buf_deinit(&bytes);
}

static void send_ack(struct world *world, struct client *client, enum fray_mqtt_type type)
{
    send_packet(world, client, &(struct fray_mqtt_packet){.type = type, .ack = {.packet_id = ID}});
}

static void go_on(struct world *world, struct client *client);

static void receive_packet(struct world *world, struct client *client,
                           const struct fray_mqtt_packet *packet)
{
    struct fray_mqtt_packet reply = {.ack = {.packet_id = packet->ack.packet_id}};
    switch (packet->type) {
    case FRAY_MQTT_CONNACK:
        assert_int_equal(packet->connack.reason, FRAY_MQTT_SUCCESS);
        client->is_connected = true;
        go_on(world, client);
        break;
    case FRAY_MQTT_SUBACK: client->has_subscribed = true; break;
    case FRAY_MQTT_PUBLISH:
        assert_int_equal(packet->publish.qos, 2);
        client->received += !client->holds_id;
        client->holds_id = true;
        reply.type = FRAY_MQTT_PUBREC;
        reply.ack.packet_id = packet->publish.packet_id;
        send_packet(world, client, &reply);
        break;
    case FRAY_MQTT_PUBREC:
        client->has_pubrec = true;
        send_ack(world, client, FRAY_MQTT_PUBREL);
        break;
    case FRAY_MQTT_PUBREL:
        client->holds_id = false;
        reply.type = FRAY_MQTT_PUBCOMP;
        send_packet(world, client, &reply);
        break;
    case FRAY_MQTT_PUBCOMP: client->is_done = true; break;
    default: fail_msg("unexpected %s", fray_mqtt_type_name(packet->type));
    }
}

/* The oldest packet that the broker wrote; false: there is none. */
static bool receive_one(struct world *world, struct client *client)
{
    struct fray_mqtt_decode_options options = {.version = world->version,
                                               .sender = FRAY_MQTT_SERVER};
    struct fray_mqtt_packet packet;
    enum fray_mqtt_reason reason;
    if (fray_mqtt_decode(&options, fray_buf_slice(&client->in), &packet, &reason))
        return false;
    struct fray_buf bytes = {0}; /* the input may go while it is handled */
    fray_buf_append(&bytes, client->in.data, packet.size);
    fray_buf_consume(&client->in, packet.size);
    assert_int_equal(fray_mqtt_decode(&options, fray_buf_slice(&bytes), &packet, &reason), 0);
    if (!is_lost(world, client))
        receive_packet(world, client, &packet);
    fray_buf_deinit(&bytes);
    return true;
}

static void connect_client(struct world *world, struct client *client)
{
    client->link = (struct fray_link){.ops = &link_ops, .is_writable = true};
    client->in.len = 0;
    fray_mqtt_open(&world->config, &client->link);
    struct fray_mqtt_packet packet = {
        .type = FRAY_MQTT_CONNECT,
        .connect = {.version = world->version, .client_id = fray_slice_of(client->name)}};
    packet.connect.properties.present = FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_SESSION_EXPIRY_INTERVAL);
    packet.connect.properties.session_expiry_interval = 500;
    send_packet(world, client, &packet);
}

/* What a connected client still has to do. */
static void go_on(struct world *world, struct client *client)
{
    if (client->is_subscriber && !client->has_subscribed) {
        struct fray_buf filters = {0};
        assert_int_equal(fray_mqtt_filter_append(
                             &filters, world->version, FRAY_MQTT_SUBSCRIBE,
                             &(struct fray_mqtt_filter){.filter = FRAY_SLICE("t"), .qos = 2}),
                         0);
        struct fray_mqtt_packet packet = {.type = FRAY_MQTT_SUBSCRIBE};
        packet.subscribe.packet_id = 1;
        packet.subscribe.filters = fray_buf_slice(&filters);
        send_packet(world, client, &packet);
        fray_buf_deinit(&filters);
    } else if (!client->is_subscriber && client->has_pubrec && !client->is_done) {
        send_ack(world, client, FRAY_MQTT_PUBREL);
    } else if (!client->is_subscriber && !client->is_done) {
        struct fray_mqtt_packet packet = {.type = FRAY_MQTT_PUBLISH};
        packet.publish = (struct fray_mqtt_publish){
            .qos = 2, .packet_id = ID, .topic = FRAY_SLICE("t"), .payload = FRAY_SLICE("once")};
        send_packet(world, client, &packet);
    }
}

/* Until nobody has anything to say; clients come back whenever they were cut off. */
static void settle(struct world *world)
{
    bool goes_on = true;
    while (goes_on) {
        goes_on = false;
        for (int i = 0; i < 2; i++) {
            struct client *client = &world->clients[i];
            bool may_come = client->is_subscriber || world->clients[0].has_subscribed;
            if (!client->link.session && may_come) {
                connect_client(world, client);
                goes_on = true;
            }
            goes_on |= receive_one(world, client);
        }
    }
}

/* False: the exchange ended before that many packets. */
static bool run(enum fray_mqtt_version version, bool kills_broker, int loss)
{
    struct world world = {.version = version, .kills_broker = kills_broker, .until_loss = loss};
    fake_worker_init(&world.worker, 0);
    world.memory.journal = (struct fray_journal){on_put, on_remove};
    world.config = (struct fray_mqtt_config){.broker = &world.broker,
                                             .connect_timeout_ms = 1000,
                                             .maximum_packet_size = 10000,
                                             .receive_maximum = 10};
    world.clients[0] = (struct client){.name = "subscriber", .is_subscriber = true};
    world.clients[1] = (struct client){.name = "publisher"};
    broker_open(&world);
    settle(&world);
    assert_true(world.clients[1].is_done);
    assert_int_equal(world.clients[0].received, 1);
    assert_false(world.clients[0].holds_id);
    for (int i = 0; i < 2; i++) {
        lose_link(&world.clients[i]);
        fray_buf_deinit(&world.clients[i].in);
    }
    /* Two sessions and a subscription are kept, and nothing of the exchange. */
    fray_broker_record(&world.broker);
    assert_int_equal(world.memory.count, 3);
    fray_broker_deinit(&world.broker);
    while (world.memory.count)
        remove_at(&world.memory, 0);
    fake_worker_deinit(&world.worker);
    return world.until_loss < 0;
}

static void lose_everywhere(bool kills_broker)
{
    static const enum fray_mqtt_version versions[] = {FRAY_MQTT_3_1, FRAY_MQTT_3_1_1, FRAY_MQTT_5};
    for (size_t v = 0; v < sizeof versions / sizeof *versions; v++) {
        int loss = 0;
        while (run(versions[v], kills_broker, loss))
            loss++;
        assert_true(loss >= 14); /* all packets of both halves */
    }
}

static void a_link_lost_at_any_packet_of_qos_2_loses_and_doubles_nothing(void **state)
{
    (void)state;
    lose_everywhere(false);
}

static void a_broker_killed_at_any_packet_of_qos_2_loses_and_doubles_nothing(void **state)
{
    (void)state;
    lose_everywhere(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_lost_at_any_packet_of_qos_2_loses_and_doubles_nothing),
        cmocka_unit_test(a_broker_killed_at_any_packet_of_qos_2_loses_and_doubles_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
