#include "room/identity.h"

#include <stdio.h>

#include "base/clean_text.h"
#include "base/mem.h"
#include "room/event.h"

static struct fray_identity *find(const fray_socket *socket)
{
    const fray_namespace *nsp = socket->nsp;
    return socket->handle.index < nsp->identities_cap ? nsp->identities[socket->handle.index]
                                                      : NULL;
}

struct fray_identity *fray_socket_identity_of(fray_socket *socket)
{
    fray_namespace *nsp = socket->nsp;
    struct fray_identity *identity = find(socket);
    if (identity)
        return identity;
    uint32_t cap = nsp->identities_cap ? nsp->identities_cap : 16;
    while (cap <= socket->handle.index)
        cap *= 2;
    if (cap > nsp->identities_cap) {
        nsp->identities = fray_realloc(nsp->identities, cap * sizeof(*nsp->identities));
        memset(nsp->identities + nsp->identities_cap, 0,
               (cap - nsp->identities_cap) * sizeof(*nsp->identities));
        nsp->identities_cap = cap;
    }
    identity = fray_alloc_zero(sizeof *identity);
    identity->nsp = nsp;
    identity->socket = socket->handle;
    nsp->identities[socket->handle.index] = identity;
    return identity;
}

void fray_socket_identity_drop(fray_socket *socket)
{
    struct fray_identity *identity = find(socket);
    if (!identity)
        return;
    socket->nsp->identities[socket->handle.index] = NULL;
    fray_timer_cancel(socket->nsp->home->timers, &identity->expiry);
    json_decref(identity->claims);
    free(identity->name);
    free(identity);
}

/* ------------------------------------------------------------------ tokens that expire */

enum { POLICY_VIOLATION = 1008, LIFE_MAX_S = 1 << 30 /* 34 years */ };

/* Said as an event, too: Socket.IO has no close codes. Its clients are put out of the namespace
 * only, which tells them not to come back by themselves, with the same token. */
static void on_expire(struct fray_timer *timer, uint64_t now_us)
{
    static const char reason[] = "The token has expired.";
    const struct fray_identity *identity = (struct fray_identity *)timer;
    fray_namespace *nsp = identity->nsp;
    struct fray_handle handle = identity->socket;
    fray_socket *socket = fray_id_pool_get(&nsp->sockets, handle);
    (void)now_us;
    if (!socket || !socket->is_connected)
        return;
    fray_count(&nsp->home->counters.tokens_expired);
    fray_emit(socket, "error", "{s:s, s:s}", "code", "token_expired", "message", reason);
    fray_crossing_expel(socket, POLICY_VIOLATION, fray_slice_of(reason));
    fray_namespace_end(nsp, handle, FRAY_SERVER_DISCONNECTED);
}

/* A token that has expired while its socket connects has been refused already. */
static void watch_expiry(fray_socket *socket, struct fray_identity *identity)
{
    const json_t *exp = json_object_get(identity->claims, "exp");
    int64_t (*unix_ms)(void) = socket->nsp->options.unix_ms;
    if (!json_is_number(exp) || !unix_ms)
        return;
    double life_s = json_number_value(exp) - (double)unix_ms() / 1000;
    if (life_s > LIFE_MAX_S)
        return;
    struct fray_worker *home = socket->nsp->home;
    identity->expiry.on_expire = on_expire;
    fray_timer_arm(home->timers, &identity->expiry,
                   *home->now_us + (uint64_t)((life_s > 0 ? life_s : 0) * 1e6));
}

/* The first member of those names that is a string with something to show. */
static bool take_name(fray_socket *socket, const json_t *object, const char *const *members)
{
    for (; *members; members++) {
        const char *name = json_string_value(json_object_get(object, *members));
        if (name && fray_socket_set_name(socket, name))
            return true;
    }
    return false;
}

bool fray_socket_identify(fray_socket *socket)
{
    static const char *const of_claims[] = {"name", "preferred_username", "nickname", "sub", NULL};
    static const char *const of_guests[] = {"name", NULL};
    const struct fray_namespace_options *options = &socket->nsp->options;
    const json_t *auth = socket->extra->connecting->auth;
    if (!options->identify) {
        take_name(socket, auth, of_guests);
        return true;
    }
    struct fray_identified identified = {0};
    if (options->identify(options->identify_context, auth, socket->extra->connecting->handshake,
                          &identified)) {
        fray_socket_reject_reason(socket, identified.reason,
                                  json_pack("{s:s}", "code", "unauthorized"));
        return false;
    }
    struct fray_identity *identity = fray_socket_identity_of(socket);
    identity->claims = identified.claims;
    watch_expiry(socket, identity);
    take_name(socket, identified.claims, of_claims);
    return true;
}

/* ------------------------------------------------------------------ what applications ask */

const json_t *fray_socket_identity(const fray_socket *socket)
{
    const struct fray_identity *identity = find(socket);
    return identity ? identity->claims : NULL;
}

bool fray_socket_set_name(fray_socket *socket, const char *name)
{
    struct fray_buf clean = {0};
    fray_clean_text(&clean, fray_slice_of(name),
                    &(struct fray_clean_options){.max_chars = FRAY_NAME_CHARS_MAX});
    bool is_any = clean.len > 0;
    if (is_any) {
        struct fray_identity *identity = fray_socket_identity_of(socket);
        free(identity->name);
        identity->name = fray_strndup(clean.data, clean.len);
    }
    fray_buf_deinit(&clean);
    return is_any;
}

const char *fray_socket_name(fray_socket *socket)
{
    struct fray_identity *identity = fray_socket_identity_of(socket);
    if (!identity->name) {
        char name[16];
        struct fray_slice id = fray_slice_of(fray_socket_id(socket));
        snprintf(name, sizeof name, "guest-%04u",
                 (unsigned)(fray_hash(socket->nsp->rooms.key, id) % 10000));
        identity->name = fray_strndup(name, strlen(name));
    }
    return identity->name;
}
