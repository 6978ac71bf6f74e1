/* Routing: from a message to the sessions that get it. */
#include "broker/broker.h"

#include "base/mem.h"
#include "broker/broker_session.h"

/* A session that the message under way goes to, once for all of its overlapping subscriptions
 * [MQTT-3.3.4-2], and once more for each shared one (4.8.2). */
struct fray_broker_match {
    struct fray_broker_session *session;
    uint8_t qos;
    bool retain_as_published;
    uint32_t group; /* of a shared subscription */
    uint32_t identifiers_count, identifiers_cap;
    uint32_t *identifiers; /* beyond the first */
    uint32_t identifier;
};

static void publication_ref(void *message)
{
    fray_publication_ref(message);
}

static void publication_unref(void *message)
{
    fray_publication_unref(message);
}

void fray_broker_init(struct fray_broker *broker, struct fray_worker *worker,
                      const struct fray_broker_limits *limits)
{
    struct fray_hash_key key;
    *broker = (struct fray_broker){.worker = worker, .limits = *limits, .next_id = 1};
    worker->random(worker, &broker->sessions.key, sizeof broker->sessions.key);
    worker->random(worker, &key, sizeof key);
    fray_subscription_trie_init(&broker->subscriptions, key, limits->subscriptions_max);
    worker->random(worker, &key, sizeof key);
    fray_retained_init(&broker->retained, &(struct fray_retained_config){
                                              .key = key,
                                              .ops = {publication_ref, publication_unref},
                                              .count_max = limits->retained_max,
                                              .bytes_max = limits->retained_bytes_max,
                                          });
    broker->qos = (struct fray_qos_config){
        .cells = worker->cells,
        .ops = fray_broker_delivery_ops,
        .pending_max = limits->queue_max,
        .pending_bytes_max = limits->queue_bytes_max,
        .inflight_max = limits->inflight_max,
    };
}

void fray_broker_deinit(struct fray_broker *broker)
{
    broker->journal = NULL; /* what it holds is for the next start */
    broker->bridge = NULL;
    for (uint32_t i = 0; i < broker->sessions.cap;) {
        struct fray_broker_session *session = broker->sessions.entries[i].object;
        if (!session) {
            i++;
            continue;
        }
        if (session->will)
            fray_publication_unref(session->will);
        session->will = NULL;
        if (session->outgoing)
            fray_qos_outgoing_deinit(session->outgoing); /* nobody is left to take it over */
        fray_broker_session_end(session);                /* another may move to this place */
    }
    fray_name_map_deinit(&broker->sessions);
    fray_subscription_trie_deinit(&broker->subscriptions);
    fray_retained_deinit(&broker->retained);
    free(broker->dirty);
    free(broker->matches);
}

/* ------------------------------------------------------------------ matching */

static struct fray_broker_match *add_match(struct fray_broker *broker,
                                           struct fray_broker_session *session,
                                           const struct fray_subscription *subscription)
{
    if (broker->matches_count == broker->matches_cap) {
        broker->matches_cap = broker->matches_cap ? broker->matches_cap * 2 : 64;
        broker->matches =
            fray_realloc(broker->matches, broker->matches_cap * sizeof *broker->matches);
    }
    struct fray_broker_match *match = &broker->matches[broker->matches_count];
    *match = (struct fray_broker_match){.session = session,
                                        .qos = subscription->qos,
                                        .retain_as_published = subscription->retain_as_published,
                                        .group = subscription->group};
    if (!subscription->group)
        session->match = broker->matches_count;
    broker->matches_count++;
    return match;
}

static void add_identifier(struct fray_broker_match *match, uint32_t identifier)
{
    if (!identifier)
        return;
    if (match->identifiers_count++ == 0) {
        match->identifier = identifier;
        return;
    }
    if (match->identifiers_count > match->identifiers_cap) {
        match->identifiers_cap = match->identifiers_cap ? match->identifiers_cap * 2 : 8;
        bool is_first = !match->identifiers;
        match->identifiers =
            fray_realloc(match->identifiers, match->identifiers_cap * sizeof *match->identifiers);
        if (is_first)
            match->identifiers[0] = match->identifier;
    }
    match->identifiers[match->identifiers_count - 1] = identifier;
}

struct routing {
    struct fray_broker *broker;
    const struct fray_broker_session *from;
    bool is_local_passed; /* a subscription with no local was passed over */
};

static void on_match(void *context, struct fray_subscriber *subscriber,
                     const struct fray_subscription *subscription)
{
    struct routing *routing = context;
    struct fray_broker *broker = routing->broker;
    struct fray_broker_session *session = (struct fray_broker_session *)subscriber;
    if (subscription->no_local && session == routing->from)
        return; /* [MQTT-3.8.3-3] */
    struct fray_broker_match *match = NULL;
    bool is_known = !subscription->group && session->match < broker->matches_count &&
                    broker->matches[session->match].session == session &&
                    !broker->matches[session->match].group;
    if (is_known) {
        match = &broker->matches[session->match];
        if (subscription->qos > match->qos)
            match->qos = subscription->qos;
        match->retain_as_published |= subscription->retain_as_published;
    } else {
        match = add_match(broker, session, subscription);
    }
    add_identifier(match, subscription->identifier);
}

/* Members of a shared group that are connected go before those that are not. */
static bool is_available(void *context, struct fray_subscriber *subscriber)
{
    (void)context;
    return ((const struct fray_broker_session *)subscriber)->ops != NULL;
}

/* ------------------------------------------------------------------ delivering */

void fray_broker_deliver(struct fray_broker_session *session, struct fray_publication *publication,
                         struct fray_broker_delivery_options *options)
{
    struct fray_broker *broker = session->broker;
    if (session->is_gone)
        return;
    if (options->qos > publication->qos)
        options->qos = publication->qos;
    if (session->ops && (options->qos == 0 || !session->ops->on_queued))
        session->ops->on_message(session, publication, options);
    else if (options->qos > 0)
        fray_broker_enqueue(session, publication, options);
    else
        fray_count(&broker->worker->counters.mqtt_dropped_absent);
}

uint32_t fray_broker_route(struct fray_broker *broker, const struct fray_broker_session *from,
                           struct fray_publication *publication)
{
    struct routing routing = {.broker = broker, .from = from};
    broker->matches_count = 0;
    uint32_t matched = fray_subscription_trie_match(
        &broker->subscriptions, fray_publication_topic(publication),
        &(struct fray_subscription_match){
            .deliver = on_match, .available = is_available, .context = &routing});
    /* A subscriber in this program may publish, subscribe and so on: it meets another list. */
    struct fray_broker_match *matches = broker->matches;
    uint32_t count = broker->matches_count, cap = broker->matches_cap;
    broker->matches = NULL;
    broker->matches_count = broker->matches_cap = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct fray_broker_match *match = &matches[i];
        fray_broker_deliver(
            match->session, publication,
            &(struct fray_broker_delivery_options){
                .qos = match->qos,
                .retain = match->retain_as_published && publication->retain,
                .identifiers = match->identifiers ? match->identifiers : &match->identifier,
                .identifiers_count = match->identifiers_count,
                .group = match->group,
            });
        free(match->identifiers);
    }
    free(broker->matches);
    broker->matches = matches;
    broker->matches_cap = cap;
    broker->matches_count = 0;
    return matched;
}

/* ------------------------------------------------------------------ shared subscriptions */

struct pick {
    struct fray_broker_session *session;
    struct fray_subscription subscription;
};

static void on_pick(void *context, struct fray_subscriber *subscriber,
                    const struct fray_subscription *subscription)
{
    *(struct pick *)context =
        (struct pick){(struct fray_broker_session *)subscriber, *subscription};
}

void fray_broker_route_shared(struct fray_broker *broker, struct fray_slice filter,
                              struct fray_publication *publication)
{
    struct pick pick;
    if (!fray_subscription_trie_pick(&broker->subscriptions, filter,
                                     &(struct fray_subscription_match){.deliver = on_pick,
                                                                       .available = is_available,
                                                                       .context = &pick}))
        return;
    fray_broker_deliver(pick.session, publication,
                        &(struct fray_broker_delivery_options){
                            .qos = pick.subscription.qos,
                            .retain = pick.subscription.retain_as_published && publication->retain,
                            .identifiers = &pick.subscription.identifier,
                            .identifiers_count = pick.subscription.identifier ? 1 : 0,
                            .group = pick.subscription.group,
                        });
}

/* ------------------------------------------------------------------ retained */

static void retain(struct fray_broker *broker, struct fray_publication *publication)
{
    struct fray_slice topic = fray_publication_topic(publication);
    struct fray_counters *counters = &broker->worker->counters;
    bool is_set = publication->shape.payload_len > 0;
    if (!is_set) {
        fray_retained_clear(&broker->retained, topic); /* [MQTT-3.3.1-6] */
    } else if (fray_retained_set(&broker->retained, topic,
                                 &(struct fray_retained_message){
                                     .message = publication,
                                     .bytes = fray_publication_size(publication),
                                     .expires_us = publication->expires_us,
                                 },
                                 *broker->worker->now_us)) {
        fray_count(&counters->mqtt_retained_refused);
        is_set = false; /* an outdated one is gone, too */
    }
    if (broker->journal && !fray_topic_hidden(topic)) /* $SYS is made anew at each start */
        fray_broker_journal_retained(broker, publication, is_set);
}

uint32_t fray_broker_dispatch(struct fray_broker *broker, const struct fray_broker_session *from,
                              struct fray_publication *publication)
{
    if (publication->retain)
        retain(broker, publication);
    uint32_t matched = fray_broker_route(broker, from, publication);
    if (broker->bridge &&
        fray_slice_starts(fray_publication_topic(publication), FRAY_SLICE("fray/")))
        broker->bridge->on_publish(broker->bridge, publication);
    return matched;
}

struct retained_walk {
    struct fray_publication **found;
    uint32_t count, cap;
};

static bool on_retained(void *context, const struct fray_retained_message *message)
{
    struct retained_walk *walk = context;
    if (walk->count == walk->cap) {
        walk->cap = walk->cap ? walk->cap * 2 : 16;
        walk->found = fray_realloc(walk->found, walk->cap * sizeof(*walk->found));
    }
    walk->found[walk->count++] = fray_publication_ref(message->message);
    return true;
}

void fray_broker_send_retained(struct fray_broker_session *session, struct fray_slice filter,
                               const struct fray_subscription *subscription)
{
    struct fray_broker *broker = session->broker;
    struct retained_walk walk = {0};
    fray_retained_match(&broker->retained, filter, *broker->worker->now_us, on_retained, &walk);
    for (uint32_t i = 0; i < walk.count; i++) {
        struct fray_broker_delivery_options options = {
            .qos = subscription->qos,
            .retain = true,
            .identifiers = &subscription->identifier,
            .identifiers_count = subscription->identifier ? 1 : 0,
        };
        if (session->ops && session->ops->on_found)
            session->ops->on_found(session, walk.found[i], &options);
        else
            fray_broker_deliver(session, walk.found[i], &options);
        fray_publication_unref(walk.found[i]);
    }
    free(walk.found);
}
