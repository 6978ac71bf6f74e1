#include "server/lab.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/lab_wire.h"
#include "server/server.h"

enum { HELD_MAX = 65536, COPY_LATER_US = 1000 };

/* A session that the lab treats by itself: for its own settings, or for its datagrams' chances. */
struct lab_session {
    struct fray_handle handle;
    bool has_own;
    struct fray_lab_settings own;
    struct fray_lab_path path; /* of its unreliable messages */
};

/* A message that is late. */
struct held {
    struct fray_timer timer; /* first */
    struct held *next, **link;
    struct fray_server_lab *lab;
    struct fray_handle session;
    struct fray_message *message;
};

struct fray_server_lab {
    struct fray_worker_lab base; /* first */
    struct fray_server_worker *worker;
    struct fray_lab_settings all;
    struct lab_session **sessions; /* by index of handle; NULL: nothing is kept of it */
    uint32_t sessions_cap, own_count;
    uint64_t seed, paths_made;
    struct held *held;
    uint32_t held_count;
    bool is_releasing; /* a held message is on its way to its outbox */
};

static struct fray_server_lab *lab_of(struct fray_worker_lab *base)
{
    return (struct fray_server_lab *)base;
}

/* ------------------------------------------------------------------ what is kept of sessions */

static struct lab_session *find(const struct fray_server_lab *lab,
                                const struct fray_session *session)
{
    uint32_t index = session->handle.index;
    struct lab_session *known = index < lab->sessions_cap ? lab->sessions[index] : NULL;
    return known && fray_handle_equal(known->handle, session->handle) ? known : NULL;
}

static struct lab_session *find_or_make(struct fray_server_lab *lab,
                                        const struct fray_session *session)
{
    struct lab_session *known = find(lab, session);
    if (known)
        return known;
    uint32_t index = session->handle.index;
    if (index >= lab->sessions_cap) {
        uint32_t cap = index + index / 2 + 64;
        lab->sessions = fray_realloc(lab->sessions, cap * sizeof(*lab->sessions));
        memset(lab->sessions + lab->sessions_cap, 0,
               (cap - lab->sessions_cap) * sizeof(*lab->sessions));
        lab->sessions_cap = cap;
    }
    known = fray_alloc_zero(sizeof *known);
    known->handle = session->handle;
    fray_lab_path_init(&known->path, lab->seed ^ ++lab->paths_made << 32);
    free(lab->sessions[index]);
    lab->sessions[index] = known;
    return known;
}

static void forget(struct fray_server_lab *lab, struct lab_session *known)
{
    lab->sessions[known->handle.index] = NULL;
    lab->own_count -= known->has_own;
    free(known);
}

static const struct fray_lab_settings *settings_of(const struct fray_server_lab *lab,
                                                   const struct fray_session *session)
{
    const struct lab_session *known = find(lab, session);
    return known && known->has_own ? &known->own : &lab->all;
}

/* In force only while something is on. */
static void settle(struct fray_server_lab *lab)
{
    bool is_on = lab->own_count || fray_lab_is_on(&lab->all);
    lab->worker->base.lab = is_on ? &lab->base : NULL;
    for (uint32_t i = 0; i < lab->sessions_cap && !is_on; i++) {
        if (lab->sessions[i])
            forget(lab, lab->sessions[i]);
    }
}

/* ------------------------------------------------------------------ late messages */

static void held_destroy(struct held *held)
{
    struct fray_server_lab *lab = held->lab;
    fray_timer_cancel(lab->worker->base.timers, &held->timer);
    *held->link = held->next;
    if (held->next)
        held->next->link = held->link;
    lab->held_count--;
    fray_message_unref(held->message);
    free(held);
}

static void on_held_due(struct fray_timer *timer, uint64_t now_us)
{
    struct held *held = (struct held *)timer;
    struct fray_server_lab *lab = held->lab;
    struct fray_session *session = fray_id_pool_get(&lab->worker->base.sessions, held->session);
    (void)now_us;
    lab->is_releasing = true;
    if (session)
        fray_session_send(session, held->message);
    lab->is_releasing = false;
    held_destroy(held);
}

static void hold(struct fray_server_lab *lab, const struct fray_session *session,
                 struct fray_message *message, uint64_t due_us)
{
    if (lab->held_count == HELD_MAX) {
        fray_count(&lab->worker->base.counters.lab_dropped);
        return;
    }
    struct held *held = fray_alloc_zero(sizeof *held);
    held->timer.on_expire = on_held_due;
    held->lab = lab;
    held->session = session->handle;
    held->message = fray_message_ref(message);
    held->next = lab->held;
    held->link = &lab->held;
    if (held->next)
        held->next->link = &held->next;
    lab->held = held;
    lab->held_count++;
    fray_timer_arm(lab->worker->base.timers, &held->timer, due_us);
}

/* Delay, jitter and rate are the connection's, which carries all messages alike: here a message is
 * lost, comes twice, or late enough to be overtaken. */
static bool on_divert(struct fray_worker_lab *base, struct fray_session *session,
                      struct fray_message *message)
{
    struct fray_server_lab *lab = lab_of(base);
    const struct fray_lab_settings *settings = settings_of(lab, session);
    if (!settings->datagrams || lab->is_releasing)
        return false;
    const struct fray_lab_settings chances = {
        .loss_percent = settings->loss_percent,
        .duplicate_percent = settings->duplicate_percent,
        .reorder_percent = settings->reorder_percent,
    };
    uint64_t now_us = *lab->worker->base.now_us, due_us[2];
    struct fray_lab_path *path = &find_or_make(lab, session)->path;
    unsigned copies = fray_lab_datagram(path, &chances, now_us, fray_message_size(message), due_us);
    if (!copies)
        fray_count(&lab->worker->base.counters.lab_dropped);
    if (copies == 2) /* not at once, or it would replace the first one of class latest */
        hold(lab, session, message, due_us[1] > now_us ? due_us[1] : now_us + COPY_LATER_US);
    if (copies && due_us[0] <= now_us)
        return false;
    if (copies)
        hold(lab, session, message, due_us[0]);
    return true;
}

/* ------------------------------------------------------------------ connections */

static void on_carrier(struct fray_worker_lab *base, struct fray_session *session)
{
    const struct fray_link *link = session->link;
    const struct lab_session *known = find(lab_of(base), session);
    for (unsigned i = 0; i < 2 && link && link->ops->stream; i++) {
        struct fray_stream *stream = link->ops->stream(link, i);
        if (stream && !stream->is_closed)
            fray_lab_set_own(stream->loop, &stream->source,
                             known && known->has_own ? &known->own : NULL);
    }
}

static void on_gone(struct fray_worker_lab *base, struct fray_session *session)
{
    struct lab_session *known = find(lab_of(base), session);
    if (known)
        forget(lab_of(base), known);
}

/* ------------------------------------------------------------------ settings */

struct fray_lab_settings fray_server_lab_of(const struct fray_config *config)
{
    return (struct fray_lab_settings){
        .delay_ms = config->lab_delay_ms,
        .jitter_ms = config->lab_jitter_ms,
        .rate_kbps = config->lab_rate_kbps,
        .loss_percent = (uint8_t)config->lab_loss_percent,
        .duplicate_percent = (uint8_t)config->lab_duplicate_percent,
        .reorder_percent = (uint8_t)config->lab_reorder_percent,
        .datagrams = config->lab_datagrams,
    };
}

void fray_server_lab_set_all(struct fray_server_lab *lab, const struct fray_lab_settings *settings)
{
    lab->all = *settings;
    settle(lab);
    fray_lab_set_all(lab->worker->loop, settings);
    if (lab->worker->base.index == 0 && fray_lab_is_on(settings))
        fray_log(FRAY_LOG_WARN, "network_lab",
                 "delay_ms=%u jitter_ms=%u loss_percent=%u duplicate_percent=%u "
                 "reorder_percent=%u rate_kbps=%u datagrams=%s",
                 settings->delay_ms, settings->jitter_ms, settings->loss_percent,
                 settings->duplicate_percent, settings->reorder_percent, settings->rate_kbps,
                 settings->datagrams ? "yes" : "no");
}

const struct fray_lab_settings *fray_server_lab_all(const struct fray_server_lab *lab)
{
    return &lab->all;
}

void fray_server_lab_set(struct fray_server_lab *lab, struct fray_session *session,
                         const struct fray_lab_settings *settings)
{
    struct lab_session *known = settings ? find_or_make(lab, session) : find(lab, session);
    if (!known)
        return;
    lab->own_count += settings != NULL;
    lab->own_count -= known->has_own;
    known->has_own = settings != NULL;
    if (settings)
        known->own = *settings;
    on_carrier(&lab->base, session);
    settle(lab);
}

const struct fray_lab_settings *fray_server_lab_get(const struct fray_server_lab *lab,
                                                    const struct fray_session *session)
{
    const struct lab_session *known = find(lab, session);
    return known && known->has_own ? &known->own : NULL;
}

/* ------------------------------------------------------------------ sessions that ask themselves
 */

struct wish {
    struct fray_parcel parcel; /* first */
    struct fray_handle member;
    struct fray_lab_settings settings;
    bool has_settings;
};

static void run_wish(struct fray_worker *at, struct fray_parcel *parcel)
{
    struct wish *wish = (struct wish *)parcel;
    const struct fray_member *member = fray_id_pool_get(&at->members, wish->member);
    if (member)
        fray_server_lab_set(((struct fray_server_worker *)at)->lab, member->session,
                            wish->has_settings ? &wish->settings : NULL);
    free(wish);
}

enum fray_err fray_server_lab_ask(void *context, const fray_socket *socket, const json_t *wanted,
                                  struct fray_buf *reason)
{
    struct fray_lab_settings settings = {0};
    (void)context;
    if (!json_is_null(wanted)) {
        enum fray_err err = fray_lab_settings_read(wanted, true, &settings, reason);
        if (err)
            return err;
    }
    struct fray_worker *home = socket->nsp->home, *at = socket->nsp->workers[socket->worker];
    struct wish *wish = fray_alloc(sizeof *wish);
    *wish = (struct wish){.parcel.run = run_wish,
                          .member = socket->member,
                          .settings = settings,
                          .has_settings = !json_is_null(wanted)};
    if (at == home)
        run_wish(at, &wish->parcel);
    else
        home->post(home, at, &wish->parcel);
    return FRAY_OK;
}

/* ------------------------------------------------------------------ life */

struct fray_server_lab *fray_server_lab_create(struct fray_server_worker *worker)
{
    const struct fray_config *config = &worker->server->config;
    struct fray_server_lab *lab = fray_alloc_zero(sizeof *lab);
    uint64_t seed = config->lab_seed;
    if (!seed)
        worker->base.random(&worker->base, &seed, sizeof seed);
    else
        seed += (uint64_t)worker->base.index << 56; /* other chances on each worker */
    lab->base =
        (struct fray_worker_lab){.divert = on_divert, .on_carrier = on_carrier, .on_gone = on_gone};
    lab->worker = worker;
    lab->seed = seed;
    fray_lab_set_seed(worker->loop, seed);
    struct fray_lab_settings settings = fray_server_lab_of(config);
    fray_server_lab_set_all(lab, &settings);
    return lab;
}

void fray_server_lab_destroy(struct fray_server_lab *lab)
{
    while (lab->held)
        held_destroy(lab->held);
    for (uint32_t i = 0; i < lab->sessions_cap; i++)
        free(lab->sessions[i]);
    free(lab->sessions);
    lab->worker->base.lab = NULL;
    free(lab);
}
