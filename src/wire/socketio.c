#include "wire/socketio.h"

#include "wire/json.h"
#include "wire/utf8.h"

/* ---- Header ---- */

/* Takes decimal digits, at least one. */
static enum fray_err take_uint(struct fray_slice *text, uint64_t max, uint64_t *value)
{
    size_t used = 0;
    uint64_t result = 0;
    while (used < text->len && text->data[used] >= '0' && text->data[used] <= '9') {
        uint64_t digit = (uint64_t)(text->data[used] - '0');
        if (result > (max - digit) / 10 || max < digit)
            return FRAY_ERR_LIMIT;
        result = result * 10 + digit;
        used++;
    }
    *text = fray_slice_skip(*text, used);
    *value = result;
    return used ? FRAY_OK : FRAY_ERR_SYNTAX;
}

static enum fray_err take_type(struct fray_slice *rest, struct fray_socketio_packet *packet)
{
    if (rest->len == 0 || rest->data[0] < '0' + FRAY_SOCKETIO_CONNECT ||
        rest->data[0] > '0' + FRAY_SOCKETIO_BINARY_ACK)
        return FRAY_ERR_SYNTAX;
    packet->type = (enum fray_socketio_type)(rest->data[0] - '0');
    *rest = fray_slice_skip(*rest, 1);
    return FRAY_OK;
}

static bool is_binary(enum fray_socketio_type type)
{
    return type == FRAY_SOCKETIO_BINARY_EVENT || type == FRAY_SOCKETIO_BINARY_ACK;
}

static enum fray_err take_attachments(struct fray_slice *rest, unsigned attachments_max,
                                      struct fray_socketio_packet *packet)
{
    if (!is_binary(packet->type))
        return FRAY_OK;
    uint64_t attachments;
    enum fray_err err = take_uint(rest, attachments_max, &attachments);
    if (err)
        return err;
    if (attachments == 0 || rest->len == 0 || rest->data[0] != '-')
        return FRAY_ERR_SYNTAX;
    *rest = fray_slice_skip(*rest, 1);
    packet->attachments = (unsigned)attachments;
    return FRAY_OK;
}

/* A namespace begins with a slash and lasts to a comma or the end. Clients of Socket.IO 2 put the
 * handshake's query string behind CONNECT's namespace; later ones never do. */
static enum fray_err take_namespace(struct fray_slice *rest, struct fray_socketio_packet *packet)
{
    packet->namespace_name = FRAY_SLICE("/");
    if (rest->len == 0 || rest->data[0] != '/')
        return FRAY_OK;
    const char *comma = memchr(rest->data, ',', rest->len);
    struct fray_slice name = {rest->data, comma ? (size_t)(comma - rest->data) : rest->len};
    *rest = fray_slice_skip(*rest, comma ? name.len + 1 : name.len);
    if (!fray_utf8_valid(name))
        return FRAY_ERR_UTF8;
    const char *mark =
        packet->type == FRAY_SOCKETIO_CONNECT ? memchr(name.data, '?', name.len) : NULL;
    if (mark) {
        size_t len = (size_t)(mark - name.data);
        packet->query = fray_slice_skip(name, len + 1);
        name.len = len;
    }
    packet->namespace_name = name;
    return FRAY_OK;
}

static enum fray_err take_ack_id(struct fray_slice *rest, struct fray_socketio_packet *packet)
{
    if (rest->len == 0 || rest->data[0] < '0' || rest->data[0] > '9')
        return FRAY_OK;
    packet->has_ack_id = true;
    return take_uint(rest, FRAY_SOCKETIO_ACK_ID_MAX, &packet->ack_id);
}

/* ---- Payload ---- */

/* Names by their text, or JSON strings by what they stand for: `equal` says which. */
static bool is_reserved(struct fray_slice name, bool equal(struct fray_slice, struct fray_slice))
{
    const struct fray_slice reserved[] = {
        FRAY_SLICE("connect"),       FRAY_SLICE("connect_error"), FRAY_SLICE("disconnect"),
        FRAY_SLICE("disconnecting"), FRAY_SLICE("newListener"),   FRAY_SLICE("removeListener"),
    };
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (equal(name, reserved[i]))
            return true;
    }
    return false;
}

bool fray_socketio_event_reserved(struct fray_slice event_name)
{
    return is_reserved(event_name, fray_slice_equal);
}

static enum fray_err read_event(struct fray_json_iter *elements,
                                struct fray_socketio_packet *packet)
{
    struct fray_json_item first;
    if (!fray_json_next(elements, &first))
        return FRAY_ERR_TYPE;
    packet->event_json = packet->event_name = first.value;
    switch (fray_json_kind(first.value)) {
    case FRAY_JSON_NUMBER: return FRAY_OK;
    case FRAY_JSON_STRING: break;
    default: return FRAY_ERR_TYPE;
    }
    packet->event_name = (struct fray_slice){first.value.data + 1, first.value.len - 2};
    packet->event_escaped = fray_json_string_escaped(first.value);
    bool reserved = packet->event_escaped ? is_reserved(packet->event_json, fray_json_string_equal)
                                          : fray_socketio_event_reserved(packet->event_name);
    return reserved ? FRAY_ERR_TYPE : FRAY_OK;
}

static enum fray_err check_placeholders(struct fray_slice json, unsigned attachments)
{
    struct fray_socketio_placeholder placeholder;
    enum fray_err err;
    do
        err = fray_socketio_placeholder_next(&json, attachments, &placeholder);
    while (!err);
    return err == FRAY_ERR_NOT_FOUND ? FRAY_OK : err;
}

/* Events and acks: a mandatory array. */
static enum fray_err read_array(struct fray_socketio_packet *packet)
{
    if (packet->data.len == 0 || fray_json_kind(packet->data) != FRAY_JSON_ARRAY)
        return FRAY_ERR_TYPE;
    struct fray_json_iter elements = fray_json_iterate(packet->data);
    if (packet->type == FRAY_SOCKETIO_EVENT || packet->type == FRAY_SOCKETIO_BINARY_EVENT) {
        enum fray_err err = read_event(&elements, packet);
        if (err)
            return err;
    }
    packet->args = fray_json_rest(&elements);
    return is_binary(packet->type) ? check_placeholders(packet->args, packet->attachments)
                                   : FRAY_OK;
}

static enum fray_err read_payload(struct fray_slice json, unsigned depth_max,
                                  struct fray_socketio_packet *packet)
{
    if (json.len > 0) {
        enum fray_err err = fray_json_validate(json, depth_max);
        if (err)
            return err;
        packet->data = fray_json_trim(json);
        /* The default parser takes white space here for digits of an ack id. */
        if (packet->data.data != json.data)
            return FRAY_ERR_SYNTAX;
    }
    bool none = json.len == 0;
    enum fray_json_kind kind = fray_json_kind(packet->data);
    bool object = !none && kind == FRAY_JSON_OBJECT;
    switch (packet->type) {
    case FRAY_SOCKETIO_CONNECT: return none || object ? FRAY_OK : FRAY_ERR_TYPE;
    case FRAY_SOCKETIO_DISCONNECT: return none ? FRAY_OK : FRAY_ERR_TYPE;
    case FRAY_SOCKETIO_CONNECT_ERROR:
        return object || (!none && kind == FRAY_JSON_STRING) ? FRAY_OK : FRAY_ERR_TYPE;
    case FRAY_SOCKETIO_EVENT:
    case FRAY_SOCKETIO_ACK:
    case FRAY_SOCKETIO_BINARY_EVENT:
    case FRAY_SOCKETIO_BINARY_ACK: break;
    }
    return read_array(packet);
}

enum fray_err fray_socketio_decode(struct fray_slice text,
                                   const struct fray_socketio_limits *limits,
                                   struct fray_socketio_packet *packet)
{
    *packet = (struct fray_socketio_packet){0};
    struct fray_slice rest = text;
    enum fray_err err = take_type(&rest, packet);
    if (!err)
        err = take_attachments(&rest, limits->attachments_max, packet);
    if (!err)
        err = take_namespace(&rest, packet);
    if (!err)
        err = take_ack_id(&rest, packet);
    if (!err)
        err = read_payload(rest, limits->depth_max, packet);
    return err;
}
