/* The list of sessions: what of each is known on its worker. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "server/admin.h"

void fray_admin_id_format(struct fray_admin_id id, char text[FRAY_ADMIN_ID_MAX])
{
    snprintf(text, FRAY_ADMIN_ID_MAX, "%u-%u-%u", id.worker, id.handle.index, id.handle.generation);
}

/* Digits without sign and leading zeros, up to `end` or the text's end. */
static bool take_number(struct fray_slice *text, char end, uint32_t *number)
{
    uint64_t value = 0;
    size_t digits = 0;
    while (digits < text->len && text->data[digits] >= '0' && text->data[digits] <= '9') {
        value = value * 10 + (uint64_t)(text->data[digits++] - '0');
        if (value > UINT32_MAX || (digits > 1 && text->data[0] == '0'))
            return false;
    }
    bool is_last = digits == text->len;
    if (!digits || is_last != !end || (!is_last && text->data[digits] != end))
        return false;
    *text = fray_slice_skip(*text, is_last ? digits : digits + 1);
    *number = (uint32_t)value;
    return true;
}

enum fray_err fray_admin_id_parse(struct fray_slice text, struct fray_admin_id *id)
{
    struct fray_admin_id read;
    if (!take_number(&text, '-', &read.worker) || !take_number(&text, '-', &read.handle.index) ||
        !take_number(&text, '\0', &read.handle.generation))
        return FRAY_ERR_SYNTAX;
    *id = read;
    return FRAY_OK;
}

static json_t *since(const struct fray_server_worker *worker, const struct fray_session *session)
{
    uint32_t now_s = (uint32_t)(*worker->base.now_us / 1000000);
    time_t opened = (time_t)(fray_server_unix_ms() / 1000) - (time_t)(now_s - session->opened_s);
    struct tm parts;
    char text[40];
    gmtime_r(&opened, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return json_string(text);
}

static const struct fray_stream *carrier(const struct fray_link *link)
{
    if (!link || !link->ops->stream)
        return NULL;
    const struct fray_stream *stream = link->ops->stream(link, 0);
    return stream ? stream : link->ops->stream(link, 1);
}

static json_t *describe(const struct fray_server_worker *worker, const struct fray_session *session)
{
    char id[FRAY_ADMIN_ID_MAX], remote[FRAY_ADDRESS_TEXT_MAX];
    fray_admin_id_format((struct fray_admin_id){worker->base.index, session->handle}, id);
    const struct fray_stream *stream = carrier(session->link);
    const struct fray_lab_settings *own = fray_server_lab_get(worker->lab, session);
    return json_pack("{s:s, s:s, s:s?, s:s?, s:[], s:o, s:o}", "id", id, "protocol",
                     session->protocol->name, "transport",
                     session->link ? session->link->ops->name : NULL, "remote",
                     stream ? fray_address_format(fray_stream_peer(stream), remote) : NULL,
                     "namespaces", "connected_since", since(worker, session), "lab",
                     own ? fray_lab_settings_json(own) : json_null());
}

/* One pass over all members, since sessions do not know theirs. */
static void add_namespaces(const struct fray_server_worker *worker, json_t **by_index)
{
    const struct fray_id_pool *members = &worker->base.members;
    for (uint32_t i = 0; i < members->used; i++) {
        const struct fray_member *member = fray_id_pool_at(members, i);
        json_t *entry = member && member->audience ? by_index[member->session->handle.index] : NULL;
        if (entry)
            json_array_append_new(json_object_get(entry, "namespaces"),
                                  json_string(member->audience->nsp->name));
    }
}

bool fray_admin_visit_list(struct fray_server_worker *worker, struct fray_admin_errand *errand)
{
    const struct fray_id_pool *sessions = &worker->base.sessions;
    uint32_t from = worker->base.index == errand->id.worker ? errand->id.handle.index : 0;
    json_t **by_index = fray_alloc_zero((sessions->used + 1) * sizeof(*by_index));
    for (uint32_t i = from; i < sessions->used; i++) {
        const struct fray_session *session = fray_id_pool_at(sessions, i);
        if (!session || session->is_closing)
            continue;
        if (!errand->limit) {
            errand->has_more = true;
            break;
        }
        errand->limit--;
        by_index[i] = describe(worker, session);
        json_array_append_new(errand->sessions, by_index[i]);
    }
    add_namespaces(worker, by_index);
    free(by_index);
    return !errand->has_more;
}
