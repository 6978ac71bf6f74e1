/* The broker's rows in the journal: written as things change, read at start. Numbers are
 * big-endian.
 *
 *   message   flags 1 | expires 8 | expiry 4 | topic 4 | properties 4 | payload 4 | their bytes
 *             flags: QoS in bits 0 and 1, RETAIN bit 2, has expiry bit 3
 *   session   expiry 4 | expires 8 | will delay 4 | has will 1 | [message]
 *   subscription   identifier 4 | QoS 1 | retain handling 1 | no local 1 | retain as published 1
 *   delivery  publication 8 | packet id 2 | QoS 1 | retain 1 | identifiers 4 each
 *
 * Times are Unix times in microseconds; 0 is none. */
#include "base/mem.h"
#include "broker/broker_session.h"
#include "wire/mqtt_topic.h"

enum { MESSAGE_QOS = 3, MESSAGE_RETAIN = 4, MESSAGE_EXPIRY = 8 };

/* ------------------------------------------------------------------ numbers */

static void put_uint(struct fray_buf *out, uint64_t value, unsigned bytes)
{
    while (bytes--)
        fray_buf_append_byte(out, (uint8_t)(value >> (8 * bytes)));
}

struct reader {
    struct fray_slice rest;
    bool is_short;
};

static struct fray_slice get_bytes(struct reader *reader, size_t len)
{
    if (reader->rest.len < len) {
        reader->is_short = true;
        len = 0;
    }
    struct fray_slice bytes = {reader->rest.data, len};
    reader->rest = fray_slice_skip(reader->rest, len);
    return bytes;
}

static uint64_t get_uint(struct reader *reader, unsigned bytes)
{
    struct fray_slice raw = get_bytes(reader, bytes);
    uint64_t value = 0;
    for (size_t i = 0; i < raw.len; i++)
        value = value << 8 | (uint8_t)raw.data[i];
    return value;
}

static uint64_t wall_of(const struct fray_broker *broker, uint64_t at_us)
{
    return at_us ? at_us + broker->epoch_us : 0;
}

/* What is past already is the least time that is not "none". */
static uint64_t clock_of(const struct fray_broker *broker, uint64_t wall_us)
{
    if (!wall_us)
        return 0;
    return wall_us > broker->epoch_us ? wall_us - broker->epoch_us : 1;
}

/* ------------------------------------------------------------------ writing */

static void put_message(const struct fray_broker *broker, struct fray_buf *out,
                        const struct fray_publication *publication)
{
    const struct fray_mqtt_message *shape = &publication->shape;
    put_uint(out,
             publication->qos | (publication->retain ? MESSAGE_RETAIN : 0u) |
                 (publication->has_expiry ? MESSAGE_EXPIRY : 0u),
             1);
    put_uint(out, wall_of(broker, publication->expires_us), 8);
    put_uint(out, publication->expiry_s, 4);
    put_uint(out, shape->topic_len, 4);
    put_uint(out, shape->properties_len, 4);
    put_uint(out, shape->payload_len, 4);
    fray_buf_append(out, publication->bytes, fray_publication_size(publication));
}

static void put_client(struct fray_buf *key, const struct fray_broker_session *session)
{
    put_uint(key, session->client_id_len, 2);
    fray_buf_append_slice(key, fray_broker_client_id(session));
}

static void put_row(struct fray_broker *broker, enum fray_journal_table table,
                    const struct fray_buf *key, const struct fray_buf *value)
{
    broker->journal->put(broker->journal, table, fray_buf_slice(key), fray_buf_slice(value));
}

static void remove_row(struct fray_broker *broker, enum fray_journal_table table,
                       const struct fray_buf *key)
{
    broker->journal->remove(broker->journal, table, fray_buf_slice(key), false);
}

void fray_broker_journal_retained(struct fray_broker *broker,
                                  const struct fray_publication *publication, bool is_set)
{
    struct fray_slice topic = fray_publication_topic(publication);
    struct fray_buf value = {0};
    if (is_set) {
        put_message(broker, &value, publication);
        broker->journal->put(broker->journal, FRAY_JOURNAL_RETAINED, topic, fray_buf_slice(&value));
    } else {
        broker->journal->remove(broker->journal, FRAY_JOURNAL_RETAINED, topic, false);
    }
    fray_buf_deinit(&value);
}

void fray_broker_journal_session(struct fray_broker_session *session)
{
    struct fray_broker *broker = session->broker;
    const struct fray_broker_absence *absence = session->absence;
    struct fray_buf key = {0}, value = {0};
    put_client(&key, session);
    put_uint(&value, session->expiry_s, 4);
    put_uint(&value, wall_of(broker, absence ? absence->expires_us : 0), 8);
    put_uint(&value, session->will_delay_s, 4);
    put_uint(&value, session->will != NULL, 1);
    if (session->will)
        put_message(broker, &value, session->will);
    put_row(broker, FRAY_JOURNAL_SESSION, &key, &value);
    fray_buf_deinit(&key);
    fray_buf_deinit(&value);
}

void fray_broker_journal_forget(struct fray_broker_session *session)
{
    struct fray_journal *journal = session->broker->journal;
    struct fray_buf key = {0};
    put_client(&key, session);
    journal->remove(journal, FRAY_JOURNAL_SESSION, fray_buf_slice(&key), false);
    for (int table = FRAY_JOURNAL_SUBSCRIPTION; table < FRAY_JOURNAL_TABLES; table++)
        journal->remove(journal, (enum fray_journal_table)table, fray_buf_slice(&key), true);
    fray_buf_deinit(&key);
}

void fray_broker_journal_subscription(struct fray_broker_session *session, struct fray_slice filter,
                                      const struct fray_subscription *subscription)
{
    struct fray_buf key = {0}, value = {0};
    put_client(&key, session);
    fray_buf_append_slice(&key, filter);
    put_uint(&value, subscription->identifier, 4);
    put_uint(&value, subscription->qos, 1);
    put_uint(&value, subscription->retain_handling, 1);
    put_uint(&value, subscription->no_local, 1);
    put_uint(&value, subscription->retain_as_published, 1);
    put_row(session->broker, FRAY_JOURNAL_SUBSCRIPTION, &key, &value);
    fray_buf_deinit(&key);
    fray_buf_deinit(&value);
}

void fray_broker_journal_unsubscribe(struct fray_broker_session *session, struct fray_slice filter)
{
    struct fray_buf key = {0};
    put_client(&key, session);
    fray_buf_append_slice(&key, filter);
    remove_row(session->broker, FRAY_JOURNAL_SUBSCRIPTION, &key);
    fray_buf_deinit(&key);
}

void fray_broker_journal_packet_id(struct fray_broker_session *session,
                                   enum fray_journal_table table, uint16_t packet_id, bool is_set)
{
    struct fray_buf key = {0}, value = {0};
    put_client(&key, session);
    put_uint(&key, packet_id, 2);
    if (is_set)
        put_row(session->broker, table, &key, &value);
    else
        remove_row(session->broker, table, &key);
    fray_buf_deinit(&key);
}

/* ------------------------------------------------------------------ deliveries */

/* Deliveries are told at the end of the turn: most are acknowledged, or never stored, before that.
 * The packet id is part of the row, for redelivery under the same [MQTT-4.4.0-1]. */
void fray_broker_delivery_mark(struct fray_broker_delivery *delivery)
{
    struct fray_broker *broker = delivery->session->broker;
    if (!delivery->sequence)
        delivery->sequence = broker->next_id++;
    if (delivery->is_dirty)
        return;
    if (broker->dirty_count == broker->dirty_cap) {
        broker->dirty_cap = broker->dirty_cap ? broker->dirty_cap * 2 : 64;
        broker->dirty = fray_realloc(broker->dirty, broker->dirty_cap * sizeof(*broker->dirty));
    }
    broker->dirty[broker->dirty_count++] = delivery;
    delivery->is_dirty = true;
    delivery->refs++;
}

void fray_broker_deliveries_orphan(const struct fray_broker_session *session)
{
    const struct fray_broker *broker = session->broker;
    for (uint32_t i = 0; i < broker->dirty_count; i++) {
        if (broker->dirty[i]->session == session) {
            broker->dirty[i]->session = NULL;
            broker->dirty[i]->is_stored = false; /* its rows went with the session's */
        }
    }
}

static void delivery_key(struct fray_buf *key, const struct fray_broker_delivery *delivery)
{
    put_client(key, delivery->session);
    put_uint(key, delivery->sequence, 8);
}

void fray_broker_delivery_forget(struct fray_broker_delivery *delivery)
{
    if (!delivery->session || !fray_broker_is_kept(delivery->session))
        return;
    struct fray_buf key = {0};
    delivery_key(&key, delivery);
    remove_row(delivery->session->broker, FRAY_JOURNAL_DELIVERY, &key);
    fray_buf_deinit(&key);
}

static void forget_publication(struct fray_publication *publication, void *keeper)
{
    struct fray_broker *broker = keeper;
    if (!broker->journal)
        return;
    struct fray_buf key = {0};
    put_uint(&key, publication->id, 8);
    remove_row(broker, FRAY_JOURNAL_PUBLICATION, &key);
    fray_buf_deinit(&key);
}

static void keep_publication(struct fray_broker *broker, struct fray_publication *publication,
                             uint64_t id)
{
    publication->id = id;
    publication->on_forget = forget_publication;
    publication->keeper = broker;
}

static void store_publication(struct fray_broker *broker, struct fray_publication *publication)
{
    struct fray_buf key = {0}, value = {0};
    keep_publication(broker, publication, broker->next_id++);
    put_uint(&key, publication->id, 8);
    put_message(broker, &value, publication);
    put_row(broker, FRAY_JOURNAL_PUBLICATION, &key, &value);
    fray_buf_deinit(&key);
    fray_buf_deinit(&value);
}

static void store_delivery(struct fray_broker *broker, struct fray_broker_delivery *delivery)
{
    struct fray_buf key = {0}, value = {0};
    if (!delivery->publication->id)
        store_publication(broker, delivery->publication);
    delivery_key(&key, delivery);
    put_uint(&value, delivery->publication->id, 8);
    put_uint(&value, delivery->packet_id, 2);
    put_uint(&value, delivery->qos, 1);
    put_uint(&value, delivery->retain, 1);
    for (uint32_t i = 0; i < delivery->identifiers_count; i++)
        put_uint(&value, delivery->identifiers[i], 4);
    put_row(broker, FRAY_JOURNAL_DELIVERY, &key, &value);
    delivery->is_stored = true;
    fray_buf_deinit(&key);
    fray_buf_deinit(&value);
}

void fray_broker_record(struct fray_broker *broker)
{
    for (uint32_t i = 0; i < broker->dirty_count; i++) {
        struct fray_broker_delivery *delivery = broker->dirty[i];
        delivery->is_dirty = false;
        bool is_owed = delivery->refs > 1;
        if (is_owed && delivery->session && fray_broker_is_kept(delivery->session))
            store_delivery(broker, delivery);
        fray_broker_delivery_ops.unref(delivery);
    }
    broker->dirty_count = 0;
}

/* ------------------------------------------------------------------ reading */

static struct fray_publication *get_message(const struct fray_broker *broker, struct reader *reader)
{
    unsigned flags = (unsigned)get_uint(reader, 1);
    uint64_t expires_us = get_uint(reader, 8);
    uint32_t expiry_s = (uint32_t)get_uint(reader, 4);
    struct fray_mqtt_message shape;
    shape.topic_len = (uint32_t)get_uint(reader, 4);
    shape.properties_len = (uint32_t)get_uint(reader, 4);
    shape.payload_len = (uint32_t)get_uint(reader, 4);
    uint64_t len = (uint64_t)shape.topic_len + shape.properties_len + shape.payload_len;
    struct fray_slice bytes = get_bytes(reader, (size_t)len);
    if (reader->is_short || (flags & MESSAGE_QOS) > 2 ||
        !fray_mqtt_topic_name_valid(fray_slice(bytes.data, shape.topic_len)))
        return NULL;
    struct fray_publication *publication = fray_alloc(sizeof *publication + bytes.len);
    *publication = (struct fray_publication){
        .refs = 1,
        .qos = (uint8_t)(flags & MESSAGE_QOS),
        .retain = flags & MESSAGE_RETAIN,
        .has_expiry = flags & MESSAGE_EXPIRY,
        .expiry_s = expiry_s,
        .expires_us = clock_of(broker, expires_us),
        .shape = shape,
    };
    memcpy(publication->bytes, bytes.data, bytes.len);
    return publication;
}

/* Publications wait here until deliveries ask for them. */
struct fray_broker_loading {
    struct fray_publication **publications; /* ids ascend */
    uint32_t count, cap;
};

static enum fray_err load_publication(struct fray_broker *broker, struct reader *key,
                                      struct reader *value)
{
    if (!broker->loading)
        broker->loading = fray_alloc_zero(sizeof *broker->loading);
    struct fray_broker_loading *loading = broker->loading;
    uint64_t id = get_uint(key, 8);
    struct fray_publication *publication = get_message(broker, value);
    if (!publication || !id) {
        if (publication)
            fray_publication_unref(publication);
        return FRAY_ERR_SYNTAX;
    }
    keep_publication(broker, publication, id);
    if (id >= broker->next_id)
        broker->next_id = id + 1;
    if (loading->count == loading->cap) {
        loading->cap = loading->cap ? loading->cap * 2 : 64;
        loading->publications =
            fray_realloc(loading->publications, loading->cap * sizeof(*loading->publications));
    }
    loading->publications[loading->count++] = publication;
    return FRAY_OK;
}

static struct fray_publication *loaded(const struct fray_broker *broker, uint64_t id)
{
    const struct fray_broker_loading *loading = broker->loading;
    uint32_t from = 0, to = loading ? loading->count : 0;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (loading->publications[middle]->id < id)
            from = middle + 1;
        else
            to = middle;
    }
    bool is_found = loading && from < loading->count && loading->publications[from]->id == id;
    return is_found ? loading->publications[from] : NULL;
}

static enum fray_err load_retained(struct fray_broker *broker, struct reader *value)
{
    struct fray_publication *publication = get_message(broker, value);
    if (!publication)
        return FRAY_ERR_SYNTAX;
    enum fray_err err = FRAY_OK;
    if (!fray_publication_is_expired(publication, *broker->worker->now_us))
        err = fray_retained_set(&broker->retained, fray_publication_topic(publication),
                                &(struct fray_retained_message){
                                    .message = publication,
                                    .bytes = fray_publication_size(publication),
                                    .expires_us = publication->expires_us,
                                },
                                *broker->worker->now_us);
    fray_publication_unref(publication);
    return err;
}

static struct fray_slice get_client(struct reader *key)
{
    return get_bytes(key, (size_t)get_uint(key, 2));
}

static enum fray_err load_session(struct fray_broker *broker, struct reader *key,
                                  struct reader *value)
{
    struct fray_slice client_id = get_client(key);
    uint32_t expiry_s = (uint32_t)get_uint(value, 4);
    uint64_t expires_us = clock_of(broker, get_uint(value, 8));
    uint32_t will_delay_s = (uint32_t)get_uint(value, 4);
    bool has_will = get_uint(value, 1);
    if (key->is_short || value->is_short || fray_name_map_get(&broker->sessions, client_id))
        return FRAY_ERR_SYNTAX;
    struct fray_broker_session *session = fray_broker_session_create(broker, client_id);
    uint64_t now_us = *broker->worker->now_us, will_us = 0;
    session->expiry_s = expiry_s;
    session->will_delay_s = will_delay_s;
    session->will = has_will ? get_message(broker, value) : NULL;
    if (session->will)
        will_us = now_us + will_delay_s * UINT64_C(1000000);
    if (!expires_us && expiry_s != FRAY_BROKER_NEVER_EXPIRES) /* it was connected */
        expires_us = now_us + expiry_s * UINT64_C(1000000);
    fray_broker_session_leave(session, will_us, expires_us);
    return FRAY_OK;
}

static enum fray_err load_subscription(struct fray_broker_session *session,
                                       struct fray_slice filter, struct reader *value)
{
    struct fray_subscription subscription = {.identifier = (uint32_t)get_uint(value, 4)};
    subscription.qos = (uint8_t)get_uint(value, 1);
    subscription.retain_handling = (uint8_t)get_uint(value, 1);
    subscription.no_local = get_uint(value, 1);
    subscription.retain_as_published = get_uint(value, 1);
    bool existed;
    if (value->is_short || subscription.qos > 2 || subscription.retain_handling > 2)
        return FRAY_ERR_SYNTAX;
    struct fray_journal *journal = session->broker->journal;
    session->broker->journal = NULL; /* it has it */
    enum fray_err err = fray_broker_session_subscribe(session, filter, &subscription, &existed);
    session->broker->journal = journal;
    return err;
}

static enum fray_err load_delivery(struct fray_broker_session *session, struct reader *key,
                                   struct reader *value)
{
    struct fray_broker *broker = session->broker;
    uint64_t sequence = get_uint(key, 8);
    struct fray_publication *publication = loaded(broker, get_uint(value, 8));
    uint16_t packet_id = (uint16_t)get_uint(value, 2);
    uint8_t qos = (uint8_t)get_uint(value, 1);
    bool retain = get_uint(value, 1);
    uint32_t count = (uint32_t)(value->rest.len / 4);
    if (key->is_short || value->is_short || !publication || qos < 1 || qos > 2)
        return FRAY_ERR_SYNTAX;
    struct fray_broker_delivery *delivery =
        fray_broker_delivery_create(session, publication, count);
    delivery->sequence = sequence;
    delivery->packet_id = packet_id;
    delivery->qos = qos;
    delivery->retain = retain;
    delivery->is_stored = true;
    for (uint32_t i = 0; i < count; i++)
        delivery->identifiers[i] = (uint32_t)get_uint(value, 4);
    if (sequence >= broker->next_id)
        broker->next_id = sequence + 1;
    struct fray_qos_message message = {.message = delivery,
                                       .expires_us = publication->expires_us,
                                       .bytes = fray_publication_size(publication),
                                       .qos = qos,
                                       .retain = retain};
    struct fray_qos_outgoing *outgoing = fray_broker_outgoing(session);
    enum fray_err err = FRAY_OK;
    if (packet_id && !fray_qos_outgoing_has(outgoing, packet_id))
        fray_qos_outgoing_restore(outgoing, packet_id, &message);
    else
        err = fray_qos_outgoing_push(outgoing, &message);
    fray_broker_delivery_ops.unref(delivery);
    return err;
}

static enum fray_err load_packet_id(struct fray_broker_session *session, struct reader *key,
                                    enum fray_journal_table table)
{
    uint16_t packet_id = (uint16_t)get_uint(key, 2);
    if (key->is_short || !packet_id)
        return FRAY_ERR_SYNTAX;
    if (table == FRAY_JOURNAL_RECEIVED)
        return fray_qos_incoming_publish(&session->incoming, packet_id, UINT16_MAX);
    if (fray_qos_outgoing_has(fray_broker_outgoing(session), packet_id))
        return FRAY_ERR_SYNTAX;
    fray_qos_outgoing_restore(session->outgoing, packet_id, NULL);
    return FRAY_OK;
}

enum fray_err fray_broker_load(struct fray_broker *broker, enum fray_journal_table table,
                               struct fray_slice row_key, struct fray_slice row_value)
{
    struct reader key = {row_key, false}, value = {row_value, false};
    if (table == FRAY_JOURNAL_PUBLICATION)
        return load_publication(broker, &key, &value);
    if (table == FRAY_JOURNAL_RETAINED)
        return load_retained(broker, &value);
    if (table == FRAY_JOURNAL_SESSION)
        return load_session(broker, &key, &value);
    struct fray_broker_session *session = fray_name_map_get(&broker->sessions, get_client(&key));
    if (!session || key.is_short)
        return FRAY_ERR_SYNTAX;
    if (table == FRAY_JOURNAL_SUBSCRIPTION)
        return load_subscription(session, key.rest, &value);
    if (table == FRAY_JOURNAL_DELIVERY)
        return load_delivery(session, &key, &value);
    return load_packet_id(session, &key, table);
}

void fray_broker_loaded(struct fray_broker *broker)
{
    struct fray_broker_loading *loading = broker->loading;
    for (uint32_t i = 0; loading && i < loading->count; i++)
        fray_publication_unref(loading->publications[i]); /* owed to nobody: its row goes, too */
    if (loading)
        free(loading->publications);
    free(loading);
    broker->loading = NULL;
}
