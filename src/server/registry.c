#include "base/log.h"
#include "base/mem.h"
#include "server/server.h"

enum {
    NAMESPACES_MAX =
        10000, /* at a time, those that patterns make included: names come from clients */
    NAME_MAX_LEN = 256,
};

void fray_registry_init(struct fray_registry *registry)
{
    pthread_mutex_init(&registry->mutex, NULL);
}

void fray_registry_deinit(struct fray_registry *registry)
{
    for (size_t i = 0; i < registry->count; i++)
        fray_namespace_destroy(registry->all[i]);
    free(registry->all);
    fray_name_map_deinit(&registry->by_name);
    pthread_mutex_destroy(&registry->mutex);
}

static struct fray_namespace_options options_of(fray_server *server)
{
    const struct fray_config *config = &server->config;
    return (struct fray_namespace_options){
        .max_rooms_per_socket = config->max_rooms_per_socket,
        .room_flush_interval_ms = config->room_flush_interval_ms,
        .recovery_max_disconnection_ms = config->recovery_max_disconnection_ms,
        .recovery_max_messages = config->recovery_max_messages,
        .recovery_max_bytes = config->recovery_max_bytes,
        .recovery_max_sockets = config->recovery_max_sockets,
        .json_max_depth = config->json_max_depth,
        .chat_history = config->chat_history,
        .chat_max_length = config->chat_max_length,
        .chat_rate = config->chat_rate,
        .identify = server->jwt ? fray_server_identify : NULL,
        .identify_context = server,
        .lab = config->lab_self_service ? fray_server_lab_ask : NULL,
        .lab_context = server,
        .unix_ms = fray_server_unix_ms,
    };
}

struct start_post {
    struct fray_post post; /* first */
    fray_namespace *nsp;
};

static void run_start(struct fray_loop *loop, struct fray_post *post)
{
    fray_namespace *nsp = ((struct start_post *)post)->nsp;
    (void)loop;
    nsp->app.on_start(nsp->server, nsp, nsp->app.app);
    free(post);
}

/* ------------------------------------------------------------------ the end of a namespace that a
 * pattern made */

/* Goes from the home worker to each worker in turn, and back each time: when it comes back from
 * one, all that this worker had to say of the namespace has arrived, since parcels between two
 * workers keep their order. */
struct retirement {
    struct fray_parcel parcel; /* first */
    fray_namespace *nsp;
    unsigned next; /* the worker to visit */
};

static void run_at_home(struct fray_worker *home, struct fray_parcel *parcel);

static void run_at_worker(struct fray_worker *worker, struct fray_parcel *parcel)
{
    fray_namespace *nsp = ((struct retirement *)parcel)->nsp;
    struct fray_audience *audience = nsp->audiences[worker->index];
    nsp->audiences[worker->index] = NULL;
    if (audience)
        fray_audience_deinit(audience);
    free(audience);
    parcel->run = run_at_home;
    worker->post(worker, nsp->home, parcel);
}

static void run_at_home(struct fray_worker *home, struct fray_parcel *parcel)
{
    struct retirement *retirement = (struct retirement *)parcel;
    fray_namespace *nsp = retirement->nsp;
    if (retirement->next < nsp->workers_count) {
        parcel->run = run_at_worker;
        home->post(home, nsp->workers[retirement->next++], parcel);
        return;
    }
    if (nsp->app.on_stop)
        nsp->app.on_stop(nsp, nsp->app.app);
    fray_namespace_destroy(nsp);
    free(retirement);
}

/* Nobody will find it any more. The mutex is held. */
static void remove_from(struct fray_registry *registry, fray_namespace *nsp)
{
    fray_name_map_remove(&registry->by_name, fray_slice_of(nsp->name));
    size_t at = 0;
    while (registry->all[at] != nsp)
        at++;
    registry->all[at] = registry->all[--registry->count];
}

/* On the home worker: an empty namespace goes, for names come from clients, and they have many. */
static void on_vacated(fray_namespace *nsp, bool was_socket)
{
    struct fray_registry *registry = &((fray_server *)nsp->server)->registry;
    pthread_mutex_lock(&registry->mutex);
    if (was_socket)
        nsp->holds--;
    bool retires = !nsp->holds && !nsp->tickets.count;
    if (retires)
        remove_from(registry, nsp);
    pthread_mutex_unlock(&registry->mutex);
    if (!retires)
        return;
    nsp->on_vacated = NULL;
    struct retirement *retirement = fray_alloc(sizeof *retirement);
    *retirement = (struct retirement){.parcel.run = run_at_home, .nsp = nsp};
    nsp->home->post(nsp->home, nsp->home, &retirement->parcel);
}

static void run_release(struct fray_worker *home, struct fray_parcel *parcel)
{
    fray_namespace *nsp = ((struct retirement *)parcel)->nsp;
    (void)home;
    if (nsp->on_vacated)
        nsp->on_vacated(nsp, true);
    free(parcel);
}

void fray_registry_release(struct fray_worker *finder, fray_namespace *nsp)
{
    struct retirement *release = fray_alloc(sizeof *release);
    *release = (struct retirement){.parcel.run = run_release, .nsp = nsp};
    finder->post(finder, nsp->home, &release->parcel);
}

/* ------------------------------------------------------------------ making and finding */

/* The next home in turn. The mutex is held, or no worker runs yet. */
static fray_namespace *add(fray_server *server, const struct fray_app *app, struct fray_slice name,
                           struct fray_worker *maker)
{
    struct fray_registry *registry = &server->registry;
    struct fray_namespace_options options = options_of(server);
    struct fray_server_worker *home = server->workers[registry->count % server->workers_count];
    fray_namespace *nsp = fray_namespace_create(app, name, &options, &home->base, maker);
    fray_namespace_set_workers(nsp, server->bases, server->workers_count);
    nsp->server = server;
    nsp->observer = server->observer;
    registry->all = fray_realloc(registry->all, (registry->count + 1) * sizeof(*registry->all));
    registry->all[registry->count++] = nsp;
    fray_name_map_add(&registry->by_name, fray_slice_of(nsp->name), nsp);
    if (app->on_start) {
        struct start_post *start = fray_alloc(sizeof *start);
        *start = (struct start_post){.post.run = run_start, .nsp = nsp};
        fray_loop_post(home->loop, &start->post);
    }
    return nsp;
}

enum fray_err fray_registry_add(fray_server *server, const struct fray_app *app,
                                struct fray_slice name, fray_namespace **nsp)
{
    if (fray_name_map_get(&server->registry.by_name, name))
        return FRAY_ERR_EXISTS;
    *nsp = add(server, app, name, &server->workers[0]->base);
    return FRAY_OK;
}

/* "/room-*" fits "/room-1"; the star stands for one character or more. */
static bool fits(struct fray_slice name, const char *pattern)
{
    const char *star = pattern ? strchr(pattern, '*') : NULL;
    if (!star)
        return false;
    struct fray_slice before = fray_slice(pattern, (size_t)(star - pattern));
    struct fray_slice after = fray_slice_of(star + 1);
    return name.len > before.len + after.len && fray_slice_starts(name, before) &&
           fray_slice_equal(fray_slice_skip(name, name.len - after.len), after);
}

static const struct fray_app *pattern_for(const fray_server *server, struct fray_slice name)
{
    for (size_t i = 0; i < server->apps_count; i++) {
        const struct fray_app *app = &server->apps[i];
        if (app->protocol == FRAY_SOCKETIO && fits(name, app->name))
            return app;
    }
    return NULL;
}

/* Held for the finder; with a maker, one that is not there is made where a pattern allows it. */
static fray_namespace *find(fray_server *server, struct fray_worker *maker, struct fray_slice name)
{
    struct fray_registry *registry = &server->registry;
    pthread_mutex_lock(&registry->mutex);
    fray_namespace *nsp = fray_name_map_get(&registry->by_name, name);
    const struct fray_app *app =
        nsp || !maker || name.len > NAME_MAX_LEN ? NULL : pattern_for(server, name);
    if (app && registry->count < NAMESPACES_MAX) {
        nsp = add(server, app, name, maker);
        nsp->on_vacated = on_vacated;
    }
    if (nsp)
        nsp->holds++;
    pthread_mutex_unlock(&registry->mutex);
    /* Bare namespaces are named by their paths, and no Socket.IO client may walk in. */
    return nsp && nsp->app.protocol == FRAY_SOCKETIO ? nsp : NULL;
}

fray_namespace *fray_registry_find(fray_server *server, struct fray_worker *finder,
                                   struct fray_slice name)
{
    return find(server, finder, name);
}

fray_namespace *fray_registry_find_made(fray_server *server, struct fray_slice name)
{
    return find(server, NULL, name);
}
