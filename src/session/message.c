#include "session/message.h"

#include <assert.h>

#include "base/mem.h"

static struct fray_attachment *inline_attachment(struct fray_message *message)
{
    static_assert(offsetof(struct fray_message, text) % _Alignof(struct fray_attachment) == 0, "");
    return (struct fray_attachment *)(void *)message->text;
}

/* Puts the attachment where the text would begin; returns where that begins now. */
static char *put_attachment(struct fray_message *message, struct fray_slice bytes)
{
    struct fray_attachment *attachment = inline_attachment(message);
    *attachment = (struct fray_attachment){(char *)(attachment + 1), bytes.len};
    if (bytes.len)
        memcpy(attachment->data, bytes.data, bytes.len);
    message->attachments = attachment;
    message->attachments_count = 1;
    return attachment->data + bytes.len;
}

struct fray_message *fray_message_new(const struct fray_message_parts *parts)
{
    struct fray_slice nsp = fray_slice_of(parts->nsp ? parts->nsp : "/");
    size_t len = nsp.len + 1 + parts->name.len + parts->body.len;
    if (parts->attachment.data)
        len += sizeof(struct fray_attachment) + parts->attachment.len;
    struct fray_message *message = fray_alloc(sizeof *message + len);
    *message = (struct fray_message){
        .refs = 1,
        .kind = (uint8_t)parts->kind,
        .class = FRAY_RELIABLE,
        .ack_id = parts->ack_id,
    };
    char *at = parts->attachment.data ? put_attachment(message, parts->attachment) : message->text;
    memcpy(at, nsp.data, nsp.len);
    at[nsp.len] = '\0';
    message->nsp = at;
    at += nsp.len + 1;
    if (parts->name.len)
        memcpy(at, parts->name.data, parts->name.len);
    message->name = fray_slice(at, parts->name.len);
    at += parts->name.len;
    if (parts->body.len)
        memcpy(at, parts->body.data, parts->body.len);
    message->body = fray_slice(at, parts->body.len);
    return message;
}

struct fray_message *fray_message_of(enum fray_message_kind kind, struct fray_slice body)
{
    return fray_message_new(
        &(struct fray_message_parts){.kind = kind, .body = body, .ack_id = FRAY_ACK_NONE});
}

static struct fray_encoding *inline_encoding(struct fray_message *message)
{
    static_assert(offsetof(struct fray_message, text) % _Alignof(struct fray_encoding) == 0, "");
    return (struct fray_encoding *)(void *)message->text;
}

struct fray_message *fray_message_packet(enum fray_form form, struct fray_slice bytes)
{
    assert(bytes.len <= UINT32_MAX);
    struct fray_message *message =
        fray_alloc(sizeof *message + sizeof(struct fray_encoding) + bytes.len);
    struct fray_encoding *encoding = inline_encoding(message);
    *message = (struct fray_message){
        .refs = 1,
        .kind = FRAY_MESSAGE_PACKET,
        .class = FRAY_RELIABLE,
        .ack_id = FRAY_ACK_NONE,
        .nsp = "/",
        .body = {encoding->bytes, bytes.len},
        .encodings = encoding,
    };
    *encoding = (struct fray_encoding){.form = form, .len = (uint32_t)bytes.len};
    if (bytes.len)
        memcpy(encoding->bytes, bytes.data, bytes.len);
    return message;
}

struct fray_message *fray_message_clone(const struct fray_message *message)
{
    struct fray_message *clone = fray_message_new(&(struct fray_message_parts){
        .kind = message->kind,
        .nsp = message->nsp,
        .name = message->name,
        .body = message->body,
        .ack_id = message->ack_id,
    });
    clone->class = message->class;
    clone->key = message->key;
    clone->offset = message->offset;
    for (size_t i = 0; i < message->attachments_count; i++)
        fray_message_attach(clone, message->attachments[i].data, message->attachments[i].len);
    return clone;
}

void fray_message_attach(fray_message *message, const void *data, size_t len)
{
    /* Whoever else holds it counts on its size, and may have encoded it. */
    assert(message->refs == 1 && !message->encodings && message->attachments_count < UINT16_MAX);
    assert(message->attachments != inline_attachment(message));
    size_t count = message->attachments_count;
    message->attachments =
        fray_realloc(message->attachments, (count + 1) * sizeof *message->attachments);
    message->attachments[count] = (struct fray_attachment){fray_strndup(data, len), len};
    message->attachments_count++;
}

static uint64_t fnv(uint64_t hash, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return hash;
}

/* FNV-1a: keys are the application's own, not a peer's, so nobody can aim at collisions. The
 * namespace is in it, its terminator too, for a session's outbox serves all of its namespaces. */
static uint64_t key_of(const char *nsp, struct fray_slice key)
{
    return fnv(fnv(0xcbf29ce484222325u, nsp, strlen(nsp) + 1), key.data, key.len);
}

void fray_message_class(fray_message *message, enum fray_class class, const char *key)
{
    assert(message->refs == 1 && !message->encodings); /* outboxes sort by class and key */
    message->class = (uint8_t) class;
    message->key = key_of(message->nsp, key ? fray_slice_of(key) : message->name);
}

void fray_message_unref(fray_message *message)
{
    assert(message->refs > 0);
    if (--message->refs)
        return;
    for (struct fray_encoding *encoding = message->encodings, *next; encoding; encoding = next) {
        next = encoding->next;
        if (encoding != inline_encoding(message))
            free(encoding);
    }
    if (message->attachments != inline_attachment(message)) {
        for (size_t i = 0; i < message->attachments_count; i++)
            free(message->attachments[i].data);
        free(message->attachments);
    }
    free(message);
}

const struct fray_encoding *fray_message_encoding(const struct fray_message *message,
                                                  enum fray_form form)
{
    const struct fray_encoding *encoding = message->encodings;
    while (encoding && encoding->form != form)
        encoding = encoding->next;
    return encoding;
}

const struct fray_encoding *fray_message_encode(struct fray_message *message, enum fray_form form,
                                                struct fray_slice bytes)
{
    assert(bytes.len <= UINT32_MAX);
    struct fray_encoding *encoding = fray_alloc(sizeof *encoding + bytes.len);
    encoding->form = form;
    encoding->len = (uint32_t)bytes.len;
    if (bytes.len)
        memcpy(encoding->bytes, bytes.data, bytes.len);
    encoding->next = message->encodings;
    message->encodings = encoding;
    return encoding;
}
