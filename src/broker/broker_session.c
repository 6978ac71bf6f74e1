/* The life of a session: connected, away, resumed, expired. */
#include "broker/broker_session.h"

#include <assert.h>

#include "base/mem.h"
#include "wire/mqtt_topic.h"

struct fray_broker_session *fray_broker_session_create(struct fray_broker *broker,
                                                       struct fray_slice client_id)
{
    struct fray_broker_session *session =
        fray_cells_take(broker->worker->cells, sizeof *session + client_id.len);
    session->broker = broker;
    session->client_id_len = (uint16_t)client_id.len;
    if (client_id.len)
        memcpy(session->client_id, client_id.data, client_id.len);
    fray_name_map_add(&broker->sessions, fray_broker_client_id(session), session);
    return session;
}

static void end_absence(struct fray_broker_session *session)
{
    if (!session->absence)
        return;
    fray_timer_cancel(session->broker->worker->timers, &session->absence->timer);
    free(session->absence);
    session->absence = NULL;
}

static void publish_will(struct fray_broker_session *session)
{
    struct fray_publication *will = session->will;
    if (!will)
        return;
    session->will = NULL;
    fray_publication_restart_expiry(will, *session->broker->worker->now_us);
    fray_broker_dispatch(session->broker, session, will);
    fray_publication_unref(will);
}

/* How many of the session's subscriptions may match rooms' topics changes by `by`. */
static void count_bridged(struct fray_broker *broker, struct fray_slice text, int by)
{
    struct fray_slice group, filter;
    fray_mqtt_topic_filter_split(text, &group, &filter);
    if (filter.data[0] == '+' || filter.data[0] == '#' ||
        fray_slice_starts(filter, FRAY_SLICE("fray/")))
        __atomic_store_n(&broker->bridged, broker->bridged + (uint32_t)by, __ATOMIC_RELAXED);
}

static void on_subscription_gone(void *context, struct fray_slice filter,
                                 const struct fray_subscription *subscription)
{
    (void)subscription;
    count_bridged(context, filter, -1);
}

void fray_broker_session_end(struct fray_broker_session *session)
{
    struct fray_broker *broker = session->broker;
    struct fray_broker_inheritance inheritance;
    if (session->is_gone)
        return;
    publish_will(session); /* [MQTT-3.1.2-8]: the session's end is the latest time for it */
    if (fray_broker_is_kept(session))
        fray_broker_journal_forget(session);
    session->is_gone = true;
    fray_broker_deliveries_orphan(session);
    end_absence(session);
    fray_broker_inheritance_begin(&inheritance, session);
    fray_subscription_trie_each(&broker->subscriptions, &session->subscriber, on_subscription_gone,
                                broker);
    fray_subscription_trie_remove_all(&broker->subscriptions, &session->subscriber);
    fray_name_map_remove(&broker->sessions, fray_broker_client_id(session));
    if (session->outgoing)
        fray_qos_outgoing_deinit(session->outgoing);
    free(session->outgoing);
    fray_qos_incoming_deinit(&session->incoming);
    broker->worker->release(broker->worker, session, sizeof *session + session->client_id_len);
    fray_broker_inheritance_end(&inheritance, broker);
}

/* ------------------------------------------------------------------ away */

static void await(struct fray_broker_absence *absence)
{
    struct fray_worker *worker = absence->session->broker->worker;
    uint64_t due_us = absence->will_us;
    if (!due_us || (absence->expires_us && absence->expires_us < due_us))
        due_us = absence->expires_us;
    if (due_us)
        fray_timer_arm(worker->timers, &absence->timer, due_us);
}

static void on_due(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_broker_absence *absence = (struct fray_broker_absence *)timer;
    struct fray_broker_session *session = absence->session;
    if (absence->expires_us && absence->expires_us <= now_us) {
        fray_broker_session_end(session);
        return;
    }
    if (absence->will_us && absence->will_us <= now_us) {
        absence->will_us = 0;
        publish_will(session);
        if (fray_broker_is_kept(session))
            fray_broker_journal_session(session); /* without its will */
    }
    await(absence);
}

void fray_broker_session_leave(struct fray_broker_session *session, uint64_t will_us,
                               uint64_t expires_us)
{
    assert(!session->absence);
    session->ops = NULL;
    session->connection = NULL;
    session->absence = fray_alloc_zero(sizeof *session->absence);
    session->absence->timer.on_expire = on_due;
    session->absence->session = session;
    session->absence->will_us = will_us;
    session->absence->expires_us = expires_us;
    await(session->absence);
}

static void forget_will(struct fray_broker_session *session)
{
    if (session->will)
        fray_publication_unref(session->will);
    session->will = NULL;
}

void fray_broker_disconnect(struct fray_broker_session *session, bool sends_will)
{
    struct fray_broker *broker = session->broker;
    uint64_t now_us = *broker->worker->now_us, will_us = 0, expires_us = 0;
    if (session->ops->on_queued)
        broker->connected--;
    session->ops = NULL;
    session->connection = NULL;
    if (!sends_will)
        forget_will(session);
    if (session->expiry_s == 0) {
        fray_broker_session_end(session);
        return;
    }
    if (session->will && session->will_delay_s == 0)
        publish_will(session);
    if (session->will)
        will_us = now_us + session->will_delay_s * UINT64_C(1000000);
    if (session->expiry_s != FRAY_BROKER_NEVER_EXPIRES)
        expires_us = now_us + session->expiry_s * UINT64_C(1000000);
    fray_broker_session_leave(session, will_us, expires_us);
    if (fray_broker_is_kept(session))
        fray_broker_journal_session(session);
}

/* ------------------------------------------------------------------ connecting */

/* The session that a client finds; NULL: it begins a new one. */
static struct fray_broker_session *resume(struct fray_broker *broker,
                                          const struct fray_broker_connect *connect)
{
    struct fray_broker_session *session = fray_name_map_get(&broker->sessions, connect->client_id);
    if (!session)
        return NULL;
    if (session->ops) {
        session->ops->on_taken(session, FRAY_MQTT_SESSION_TAKEN_OVER); /* [MQTT-3.1.4-3] */
        fray_broker_disconnect(session, true);
        session = fray_name_map_get(&broker->sessions, connect->client_id);
    }
    if (session && connect->clean_start) {
        fray_broker_session_end(session); /* [MQTT-3.1.2-4] */
        return NULL;
    }
    return session;
}

void fray_broker_set_expiry(struct fray_broker_session *session, uint32_t expiry_s)
{
    uint32_t most = session->broker->limits.session_expiry_max_s;
    if (expiry_s == 0 && fray_broker_is_kept(session))
        fray_broker_journal_forget(session);
    session->expiry_s = expiry_s < most ? expiry_s : most;
}

static void grant(struct fray_broker_session *session, const struct fray_broker_connect *connect)
{
    fray_broker_set_expiry(session, connect->expiry_s);
    session->receive_maximum = connect->receive_maximum;
    session->will_delay_s = connect->will_delay_s;
    session->ops = connect->ops;
    session->connection = connect->connection;
}

struct fray_broker_session *fray_broker_connect(struct fray_broker *broker,
                                                const struct fray_broker_connect *connect,
                                                bool *present)
{
    struct fray_broker_session *session = resume(broker, connect);
    *present = session != NULL;
    bool is_client = connect->ops->on_queued; /* the program's own subscribers are not limited */
    if (!session && is_client && broker->sessions.count >= broker->limits.sessions_max) {
        if (connect->will)
            fray_publication_unref(connect->will);
        return NULL;
    }
    if (!session)
        session = fray_broker_session_create(broker, connect->client_id);
    end_absence(session);
    forget_will(session); /* delayed, and the client is back in time [MQTT-3.1.3-9] */
    session->will = connect->will;
    grant(session, connect);
    if (session->ops->on_queued)
        broker->connected++;
    if (session->outgoing)
        fray_qos_outgoing_connect(session->outgoing, session->receive_maximum);
    if (fray_broker_is_kept(session))
        fray_broker_journal_session(session);
    return session;
}

struct fray_slice fray_broker_assign_client_id(struct fray_broker *broker, char text[23])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    uint8_t bytes[17];
    do {
        broker->worker->random(broker->worker, bytes, sizeof bytes);
        memcpy(text, "auto-", 5);
        for (size_t i = 0; i < sizeof bytes; i++)
            text[5 + i] = digits[bytes[i] & 63];
        text[22] = '\0';
    } while (fray_name_map_get(&broker->sessions, fray_slice(text, 22)));
    return fray_slice(text, 22);
}

/* ------------------------------------------------------------------ subscriptions */

enum fray_err fray_broker_session_subscribe(struct fray_broker_session *session,
                                            struct fray_slice filter,
                                            const struct fray_subscription *subscription,
                                            bool *existed)
{
    struct fray_broker *broker = session->broker;
    bool is_full = session->subscriber.count >= broker->limits.subscriptions_per_session_max;
    if (is_full) { /* one that is there may still be changed */
        struct fray_subscription_trie *trie = &broker->subscriptions;
        if (!fray_subscription_trie_has(trie, filter, &session->subscriber))
            return FRAY_ERR_LIMIT;
    }
    enum fray_err err = fray_subscription_trie_add(&broker->subscriptions, filter,
                                                   &session->subscriber, subscription, existed);
    if (err)
        return err;
    if (!*existed)
        count_bridged(broker, filter, 1);
    if (fray_broker_is_kept(session))
        fray_broker_journal_subscription(session, filter, subscription);
    return FRAY_OK;
}

enum fray_err fray_broker_session_unsubscribe(struct fray_broker_session *session,
                                              struct fray_slice filter)
{
    struct fray_broker *broker = session->broker;
    enum fray_err err =
        fray_subscription_trie_remove(&broker->subscriptions, filter, &session->subscriber);
    if (err)
        return err;
    count_bridged(broker, filter, -1);
    if (fray_broker_is_kept(session))
        fray_broker_journal_unsubscribe(session, filter);
    return FRAY_OK;
}
