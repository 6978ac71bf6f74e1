#include "wire/socketio_assembler.h"

#include "base/mem.h"

struct fray_socketio_pending {
    struct fray_socketio_packet packet; /* its slices point into text */
    char *text;                         /* a copy, in the same allocation as this */
    size_t bytes_left;                  /* that attachments may still take */
    unsigned count;                     /* attachments so far; all of them: complete */
    struct fray_buf bytes;              /* all attachments but the last */
    struct fray_slice attachments[];    /* lengths; data is set once bytes moves no more */
};

void fray_socketio_assembler_reset(struct fray_socketio_assembler *assembler)
{
    if (!assembler->pending)
        return;
    fray_buf_deinit(&assembler->pending->bytes);
    free(assembler->pending);
    assembler->pending = NULL;
}

static bool is_complete(const struct fray_socketio_pending *pending)
{
    return pending->count == pending->packet.attachments;
}

/* Lets a slice of `text` point at the same bytes of `copy`; leaves others, such as the default
 * namespace, alone. */
static void move_slice(struct fray_slice *slice, struct fray_slice text, const char *copy)
{
    uintptr_t offset = (uintptr_t)slice->data - (uintptr_t)text.data;
    if (slice->len > 0 && offset < text.len)
        slice->data = copy + offset;
}

static struct fray_socketio_pending *pending_create(const struct fray_socketio_packet *packet,
                                                    struct fray_slice text)
{
    size_t size =
        sizeof(struct fray_socketio_pending) + packet->attachments * sizeof(struct fray_slice);
    struct fray_socketio_pending *pending = fray_alloc(size + text.len);
    memset(pending, 0, size);
    pending->text = (char *)pending + size;
    memcpy(pending->text, text.data, text.len);
    pending->packet = *packet;
    struct fray_slice *slices[] = {
        &pending->packet.namespace_name, &pending->packet.query, &pending->packet.event_json,
        &pending->packet.event_name,     &pending->packet.args,  &pending->packet.data,
    };
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
        move_slice(slices[i], text, pending->text);
    return pending;
}

enum fray_err fray_socketio_assembler_text(struct fray_socketio_assembler *assembler,
                                           struct fray_slice text,
                                           const struct fray_socketio_limits *limits,
                                           struct fray_socketio_packet *packet)
{
    if (assembler->pending && !is_complete(assembler->pending))
        return FRAY_ERR_STATE;
    fray_socketio_assembler_reset(assembler);
    if (text.len > limits->bytes_max)
        return FRAY_ERR_LIMIT;
    enum fray_err err = fray_socketio_decode(text, limits, packet);
    if (err || packet->attachments == 0)
        return err;
    assembler->pending = pending_create(packet, text);
    assembler->pending->bytes_left = limits->bytes_max - text.len;
    return FRAY_ERR_AGAIN;
}

enum fray_err fray_socketio_assembler_binary(struct fray_socketio_assembler *assembler,
                                             struct fray_slice bytes,
                                             struct fray_socketio_packet *packet,
                                             const struct fray_slice **attachments)
{
    struct fray_socketio_pending *pending = assembler->pending;
    if (!pending || is_complete(pending))
        return FRAY_ERR_STATE;
    if (bytes.len > pending->bytes_left)
        return FRAY_ERR_LIMIT;
    pending->bytes_left -= bytes.len;
    pending->attachments[pending->count++] = bytes;
    if (!is_complete(pending)) {
        fray_buf_append_slice(&pending->bytes, bytes);
        return FRAY_ERR_AGAIN;
    }
    const char *at = pending->bytes.data;
    for (unsigned i = 0; i + 1 < pending->count; i++) {
        pending->attachments[i].data = at;
        if (at)
            at += pending->attachments[i].len;
    }
    *packet = pending->packet;
    *attachments = pending->attachments;
    return FRAY_OK;
}
