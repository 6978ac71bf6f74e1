#include "broker/room_event.h"

#include "wire/base64.h"
#include "wire/envelope.h"
#include "wire/json.h"
#include "wire/mqtt_topic.h"
#include "wire/socketio.h"
#include "wire/url.h"
#include "wire/utf8.h"

static const struct fray_slice prefix = {"fray/", 5};

/* ------------------------------------------------------------------ topics */

static void append_escaped(struct fray_buf *topic, struct fray_slice text, const char *special)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c && strchr(special, c))
            fray_buf_printf(topic, "%%%02X", (unsigned)(unsigned char)c);
        else
            fray_buf_append_byte(topic, (uint8_t)c);
    }
}

/* One level: "-" stands for none, so one that is named so is escaped. */
static void append_level(struct fray_buf *topic, struct fray_slice text)
{
    if (!text.len)
        fray_buf_append_byte(topic, '-');
    else if (fray_slice_equal(text, FRAY_SLICE("-")))
        FRAY_BUF_LITERAL(topic, "%2D");
    else
        append_escaped(topic, text, "/+#%");
    fray_buf_append_byte(topic, '/');
}

enum fray_err fray_room_topic_encode(struct fray_buf *topic, const char *nsp,
                                     struct fray_slice room, struct fray_slice event)
{
    size_t from = topic->len;
    fray_buf_append_slice(topic, prefix);
    append_level(topic, fray_slice_of(*nsp == '/' ? nsp + 1 : nsp));
    append_level(topic, room);
    append_escaped(topic, event, "+#%");
    struct fray_slice whole = {topic->data + from, topic->len - from};
    bool is_string = !memchr(whole.data, '\0', whole.len) && fray_utf8_valid(whole);
    if (event.len && is_string && fray_mqtt_topic_name_valid(whole))
        return FRAY_OK;
    topic->len = from;
    return FRAY_ERR_SYNTAX;
}

static bool take_level(struct fray_slice *rest, struct fray_slice *level)
{
    const char *slash = rest->len ? memchr(rest->data, '/', rest->len) : NULL;
    if (!slash)
        return false;
    *level = fray_slice(rest->data, (size_t)(slash - rest->data));
    *rest = fray_slice_skip(*rest, level->len + 1);
    return level->len > 0;
}

/* Appends the level's text with a NUL behind it. */
static enum fray_err read_level(struct fray_slice level, struct fray_buf *text)
{
    bool is_none = fray_slice_equal(level, FRAY_SLICE("-"));
    enum fray_err err = is_none ? FRAY_OK : fray_url_decode(level, text);
    fray_buf_append_byte(text, '\0');
    return err;
}

enum fray_err fray_room_topic_decode(struct fray_slice name, struct fray_buf *text,
                                     struct fray_room_topic *topic)
{
    struct fray_slice nsp, room, rest;
    if (!fray_slice_starts(name, prefix))
        return FRAY_ERR_TYPE;
    rest = fray_slice_skip(name, prefix.len);
    if (!take_level(&rest, &nsp) || !take_level(&rest, &room) || !rest.len)
        return FRAY_ERR_TYPE;
    text->len = 0;
    fray_buf_append_byte(text, '/');
    enum fray_err err = read_level(nsp, text);
    size_t room_at = text->len;
    if (!err)
        err = read_level(room, text);
    size_t event_at = text->len;
    if (!err)
        err = fray_url_decode(rest, text);
    struct fray_slice event = {text->data + event_at, text->len - event_at};
    if (err || !event.len || !fray_utf8_valid(fray_buf_slice(text)) ||
        fray_socketio_event_reserved(event))
        return FRAY_ERR_TYPE;
    fray_buf_append_byte(text, '\0');
    bool has_room = text->data[room_at] != '\0';
    *topic = (struct fray_room_topic){
        .nsp = text->data,
        .room = has_room ? text->data + room_at : NULL,
        .event = text->data + event_at,
    };
    return FRAY_OK;
}

/* ------------------------------------------------------------------ payloads */

static size_t count_args(struct fray_slice args)
{
    size_t count = 0;
    struct fray_slice rest = fray_json_trim(args);
    while (rest.len && fray_json_take(&rest).len) {
        count++;
        rest = fray_json_trim(rest);
        if (rest.len && rest.data[0] == ',')
            rest = fray_json_trim(fray_slice_skip(rest, 1));
    }
    return count;
}

/* The only argument is the only attachment. */
static bool is_attachment(const struct fray_message *message)
{
    struct fray_socketio_placeholder placeholder;
    struct fray_slice rest = message->body;
    return message->attachments_count == 1 &&
           !fray_socketio_placeholder_next(&rest, 1, &placeholder) &&
           !fray_json_trim(placeholder.before).len && !fray_json_trim(rest).len;
}

static void append_args(struct fray_buf *payload, const struct fray_message *message)
{
    struct fray_slice rest = message->body;
    struct fray_socketio_placeholder placeholder;
    unsigned count = message->attachments_count;
    while (count && !fray_socketio_placeholder_next(&rest, count, &placeholder)) {
        const struct fray_attachment *attachment = &message->attachments[placeholder.num];
        fray_buf_append_slice(payload, placeholder.before);
        FRAY_BUF_LITERAL(payload, "{\"_base64\":\"");
        fray_base64_append(payload, fray_slice(attachment->data, attachment->len));
        FRAY_BUF_LITERAL(payload, "\"}");
    }
    fray_buf_append_slice(payload, rest);
}

void fray_room_payload_encode(struct fray_buf *payload, const struct fray_message *message)
{
    if (message->kind != FRAY_MESSAGE_EVENT) {
        fray_buf_append_slice(payload, message->body);
        return;
    }
    if (is_attachment(message)) {
        const struct fray_attachment *only = &message->attachments[0];
        fray_buf_append_slice(payload, fray_slice(only->data, only->len));
        return;
    }
    bool is_list = count_args(message->body) > 1;
    if (is_list)
        fray_buf_append_byte(payload, '[');
    append_args(payload, message);
    if (is_list)
        fray_buf_append_byte(payload, ']');
}

static struct fray_message *event_of(const struct fray_room_topic *topic, struct fray_slice args)
{
    return fray_message_new(&(struct fray_message_parts){.kind = FRAY_MESSAGE_EVENT,
                                                         .nsp = topic->nsp,
                                                         .name = fray_slice_of(topic->event),
                                                         .body = args,
                                                         .ack_id = FRAY_ACK_NONE});
}

/* JSON, where {"_base64":…} becomes an attachment. NULL: what stands there is not base64. */
static struct fray_message *decode_json(const struct fray_room_topic *topic,
                                        struct fray_slice value)
{
    static const struct fray_envelope_limits limits = {
        .depth_max = FRAY_JSON_DEPTH_CAP,
        .attachments_max = 64,
    };
    struct fray_envelope_binaries binaries = {0};
    struct fray_message *message = NULL;
    if (!fray_envelope_take_binaries(value, &limits, &binaries)) {
        message = event_of(topic, binaries.count ? fray_buf_slice(&binaries.args) : value);
        for (unsigned i = 0; i < binaries.count; i++)
            fray_message_attach(message, binaries.attachments[i].data, binaries.attachments[i].len);
    }
    fray_envelope_binaries_deinit(&binaries);
    return message;
}

struct fray_message *fray_room_payload_decode(const struct fray_room_topic *topic,
                                              struct fray_slice payload, unsigned depth_max)
{
    struct fray_message *message = NULL;
    if (!payload.len)
        return event_of(topic, payload);
    if (!fray_json_validate(payload, depth_max))
        message = decode_json(topic, fray_json_trim(payload));
    if (message)
        return message;
    struct fray_buf args = {0};
    bool is_text = fray_utf8_valid(payload);
    if (is_text)
        fray_json_write_string(&args, payload);
    else
        fray_socketio_write_placeholder(&args, 0);
    message = event_of(topic, fray_buf_slice(&args));
    if (!is_text)
        fray_message_attach(message, payload.data, payload.len);
    fray_buf_deinit(&args);
    return message;
}
