#include "wire/envelope.h"

#include "base/mem.h"
#include "wire/base64.h"
#include "wire/json.h"
#include "wire/socketio.h"

static const struct {
    const char *code, *text;
} faults[FRAY_ENVELOPE_FAULTS] = {
    [FRAY_ENVELOPE_OK] = {"ok", ""},
    [FRAY_ENVELOPE_BAD_JSON] = {"bad_json", "The message is not JSON."},
    [FRAY_ENVELOPE_TOO_DEEP] = {"too_deep", "The message nests arrays and objects too deeply."},
    [FRAY_ENVELOPE_NOT_AN_OBJECT] = {"bad_message",
                                     "A message is an object {\"type\": …, \"content\": …}."},
    [FRAY_ENVELOPE_NO_TYPE] = {"no_type", "The message has no type."},
    [FRAY_ENVELOPE_BAD_TYPE] = {"bad_type",
                                "The type must be a string that is not empty, without U+0000."},
    [FRAY_ENVELOPE_RESERVED_TYPE] = {"reserved_type", "Clients do not send messages of this type."},
    [FRAY_ENVELOPE_BAD_ID] = {"bad_id", "The id must be an integer from 0 to 9007199254740991."},
    [FRAY_ENVELOPE_BAD_SPREAD] = {"bad_spread",
                                  "With \"spread\": true the content must be an array."},
    [FRAY_ENVELOPE_BAD_BINARY] = {"bad_base64",
                                  "{\"_base64\": …} must hold one string of base64 (RFC 4648 4)."},
    [FRAY_ENVELOPE_TOO_MANY_BINARIES] = {"too_many_binaries",
                                         "The content holds too many pieces of binary data."},
    [FRAY_ENVELOPE_TOO_LONG] = {"too_long", "The message is longer than the server takes."},
};

const char *fray_envelope_fault_code(enum fray_envelope_fault fault)
{
    return faults[fault].code;
}

const char *fray_envelope_fault_text(enum fray_envelope_fault fault)
{
    return faults[fault].text;
}

/* ------------------------------------------------------------------ in */

/* What is the server's to say, and what Socket.IO's clients could not receive. */
static bool is_reserved(struct fray_slice type)
{
    return fray_slice_equal(type, FRAY_SLICE("welcome")) ||
           fray_slice_equal(type, FRAY_SLICE("error")) || fray_socketio_event_reserved(type);
}

static bool read_id(struct fray_slice value, uint64_t *id)
{
    if (value.len == 0 || value.len > 16)
        return false;
    *id = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
        *id = *id * 10 + (uint64_t)(value.data[i] - '0');
    }
    return *id <= FRAY_ENVELOPE_ID_MAX;
}

/* The four members that count; of one that is there twice the last, as in JavaScript. */
struct members {
    struct fray_slice type, content, id, spread;
};

static struct members read_members(struct fray_slice object)
{
    struct members members = {0};
    struct fray_json_iter iter = fray_json_iterate(object);
    struct fray_json_item item;
    while (fray_json_next(&iter, &item)) {
        if (fray_json_string_equal(item.key, FRAY_SLICE("type")))
            members.type = item.value;
        else if (fray_json_string_equal(item.key, FRAY_SLICE("content")))
            members.content = item.value;
        else if (fray_json_string_equal(item.key, FRAY_SLICE("id")))
            members.id = item.value;
        else if (fray_json_string_equal(item.key, FRAY_SLICE("spread")))
            members.spread = item.value;
    }
    return members;
}

static enum fray_envelope_fault read_args(const struct members *members, struct fray_slice *args)
{
    bool spreads = members->spread.len && fray_json_kind(members->spread) == FRAY_JSON_TRUE;
    *args = members->content;
    if (!spreads)
        return FRAY_ENVELOPE_OK;
    if (!members->content.len || fray_json_kind(members->content) != FRAY_JSON_ARRAY)
        return FRAY_ENVELOPE_BAD_SPREAD;
    struct fray_json_iter iter = fray_json_iterate(members->content);
    *args = fray_json_trim(fray_json_rest(&iter));
    return FRAY_ENVELOPE_OK;
}

enum fray_envelope_fault fray_envelope_decode_value(struct fray_slice value,
                                                    struct fray_buf *scratch,
                                                    struct fray_envelope_message *message)
{
    *message = (struct fray_envelope_message){0};
    scratch->len = 0;
    if (fray_json_kind(value) != FRAY_JSON_OBJECT)
        return FRAY_ENVELOPE_NOT_AN_OBJECT;
    struct members members = read_members(value);
    if (members.id.len && fray_json_kind(members.id) != FRAY_JSON_NULL) {
        if (!read_id(members.id, &message->id))
            return FRAY_ENVELOPE_BAD_ID;
        message->has_id = true;
    }
    if (!members.type.len)
        return FRAY_ENVELOPE_NO_TYPE;
    if (fray_json_kind(members.type) != FRAY_JSON_STRING || members.type.len == 2)
        return FRAY_ENVELOPE_BAD_TYPE;
    struct fray_slice type = fray_json_string_text(members.type, scratch);
    if (memchr(type.data, '\0', type.len))
        return FRAY_ENVELOPE_BAD_TYPE; /* handlers' names are C strings */
    message->type = type;
    if (is_reserved(message->type))
        return FRAY_ENVELOPE_RESERVED_TYPE;
    message->is_ack = fray_slice_equal(message->type, FRAY_SLICE("ack"));
    if (message->is_ack && !message->has_id)
        return FRAY_ENVELOPE_BAD_ID;
    return read_args(&members, &message->args);
}

enum fray_envelope_fault fray_envelope_decode(struct fray_slice text,
                                              const struct fray_envelope_limits *limits,
                                              struct fray_buf *scratch,
                                              struct fray_envelope_message *message)
{
    *message = (struct fray_envelope_message){0};
    enum fray_err err = fray_json_validate(text, limits->depth_max + 1); /* and the envelope */
    if (err)
        return err == FRAY_ERR_LIMIT ? FRAY_ENVELOPE_TOO_DEEP : FRAY_ENVELOPE_BAD_JSON;
    return fray_envelope_decode_value(fray_json_trim(text), scratch, message);
}

/* ------------------------------------------------------------------ binary data, in */

static const struct fray_slice mark = {"\"_base64\"", 9};

/* Appends what an object {"_base64":"…"} stands for. */
static enum fray_envelope_fault take_binary(struct fray_envelope_binaries *self,
                                            struct fray_slice object)
{
    struct fray_json_iter iter = fray_json_iterate(object);
    struct fray_json_item item;
    if (!fray_json_next(&iter, &item) || !fray_json_string_equal(item.key, FRAY_SLICE("_base64")) ||
        fray_json_kind(item.value) != FRAY_JSON_STRING ||
        fray_json_trim(fray_json_rest(&iter)).len || fray_json_string_escaped(item.value))
        return FRAY_ENVELOPE_BAD_BINARY;
    size_t before = self->bytes.len;
    if (fray_base64_decode(&self->bytes, fray_slice(item.value.data + 1, item.value.len - 2)))
        return FRAY_ENVELOPE_BAD_BINARY;
    if (self->count == self->cap) {
        self->cap = self->cap ? self->cap * 2 : 4;
        self->attachments = fray_realloc(self->attachments, self->cap * sizeof *self->attachments);
    }
    /* Its place in `bytes`, which may still move. */
    self->attachments[self->count++] = (struct fray_slice){NULL, self->bytes.len - before};
    fray_buf_printf(&self->args, "{\"_placeholder\":true,\"num\":%u}", self->count - 1);
    return FRAY_ENVELOPE_OK;
}

/* At a string that is an object's member "_base64": as for placeholders, the innermost bracket that
 * was opened last is that object's, for the only value in it is a string. */
static enum fray_envelope_fault take_all(struct fray_slice args, unsigned most,
                                         struct fray_envelope_binaries *self)
{
    struct fray_slice rest = args;
    const char *open = NULL, *written = args.data;
    while (fray_json_seek_string(&rest, &open)) {
        struct fray_slice string = fray_json_take(&rest);
        if (!fray_slice_equal(string, mark))
            continue;
        struct fray_slice after = fray_json_trim(rest);
        if (!after.len || after.data[0] != ':')
            continue; /* a value, not a name */
        if (!open)
            return FRAY_ENVELOPE_BAD_BINARY;
        if (self->count == most)
            return FRAY_ENVELOPE_TOO_MANY_BINARIES;
        struct fray_slice from = {open, (size_t)(args.data + args.len - open)};
        struct fray_slice object = fray_json_take(&from);
        fray_buf_append(&self->args, written, (size_t)(open - written));
        enum fray_envelope_fault fault = take_binary(self, object);
        if (fault)
            return fault;
        rest = from;
        written = from.data;
        open = NULL;
    }
    fray_buf_append(&self->args, written, (size_t)(args.data + args.len - written));
    return FRAY_ENVELOPE_OK;
}

/* A client may write a placeholder itself: beside real ones it would be taken for one of them. */
static bool has_only_ours(const struct fray_envelope_binaries *self)
{
    struct fray_slice rest = fray_buf_slice(&self->args);
    struct fray_socketio_placeholder placeholder;
    enum fray_err err;
    unsigned seen = 0;
    while (!(err = fray_socketio_placeholder_next(&rest, self->count, &placeholder))) {
        if (placeholder.num != seen++)
            return false;
    }
    return err == FRAY_ERR_NOT_FOUND && seen == self->count;
}

enum fray_envelope_fault fray_envelope_take_binaries(struct fray_slice args,
                                                     const struct fray_envelope_limits *limits,
                                                     struct fray_envelope_binaries *self)
{
    self->args.len = self->bytes.len = 0;
    self->count = 0;
    if (!args.len || !memmem(args.data, args.len, mark.data, mark.len))
        return FRAY_ENVELOPE_OK;
    enum fray_envelope_fault fault = take_all(args, limits->attachments_max, self);
    if (!fault && self->count && !has_only_ours(self))
        fault = FRAY_ENVELOPE_BAD_BINARY;
    const char *at = self->bytes.data ? self->bytes.data : ""; /* all of them may be empty */
    for (unsigned i = 0; !fault && i < self->count; i++) {
        self->attachments[i].data = at;
        at += self->attachments[i].len;
    }
    return fault;
}

void fray_envelope_binaries_deinit(struct fray_envelope_binaries *self)
{
    fray_buf_deinit(&self->args);
    fray_buf_deinit(&self->bytes);
    free(self->attachments);
    *self = (struct fray_envelope_binaries){0};
}

/* ------------------------------------------------------------------ out */

/* Valid JSON has line ends only between its tokens, where a space means the same. */
static void append_line(struct fray_buf *out, struct fray_slice json)
{
    size_t from = out->len;
    fray_buf_append_slice(out, json);
    for (char *at = out->data + from; json.len && at < out->data + out->len; at++) {
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    }
}

static void append_args(struct fray_buf *out, const struct fray_envelope_parts *parts)
{
    struct fray_slice rest = parts->args;
    struct fray_socketio_placeholder placeholder;
    while (parts->attachments_count &&
           !fray_socketio_placeholder_next(&rest, parts->attachments_count, &placeholder)) {
        append_line(out, placeholder.before);
        FRAY_BUF_LITERAL(out, "{\"_base64\":\"");
        fray_base64_append(out, parts->attachments[placeholder.num]);
        FRAY_BUF_LITERAL(out, "\"}");
    }
    append_line(out, rest);
}

void fray_envelope_encode(struct fray_buf *out, const struct fray_envelope_parts *parts)
{
    FRAY_BUF_LITERAL(out, "{\"type\":");
    fray_json_write_string(out, parts->type);
    if (parts->has_id) {
        FRAY_BUF_LITERAL(out, ",\"id\":");
        fray_buf_append_uint(out, parts->id);
    }
    struct fray_slice rest = fray_json_trim(parts->args);
    if (rest.len) {
        fray_json_take(&rest);
        bool spreads = fray_json_trim(rest).len > 0;
        FRAY_BUF_LITERAL(out, ",\"content\":");
        if (spreads)
            fray_buf_append_byte(out, '[');
        append_args(out, parts);
        if (spreads)
            FRAY_BUF_LITERAL(out, "],\"spread\":true");
    }
    fray_buf_append_byte(out, '}');
}

void fray_envelope_encode_error(struct fray_buf *out, const struct fray_envelope_error *error)
{
    FRAY_BUF_LITERAL(out, "{\"type\":\"error\"");
    if (error->has_id) {
        FRAY_BUF_LITERAL(out, ",\"id\":");
        fray_buf_append_uint(out, error->id);
    }
    FRAY_BUF_LITERAL(out, ",\"content\":{\"code\":");
    fray_json_write_string(out, fray_slice_of(error->code));
    if (error->type.len) {
        FRAY_BUF_LITERAL(out, ",\"type\":");
        fray_json_write_string(out, error->type);
    }
    FRAY_BUF_LITERAL(out, ",\"message\":");
    fray_json_write_string(out, fray_slice_of(error->message));
    FRAY_BUF_LITERAL(out, "}}");
}
