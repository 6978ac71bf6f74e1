#include "wire/engineio.h"

#include "wire/base64.h"
#include "wire/json.h"
#include "wire/utf8.h"

enum fray_err fray_engineio_decode_text(struct fray_slice frame, struct fray_buf *scratch,
                                        struct fray_engineio_packet *packet)
{
    scratch->len = 0;
    if (frame.len == 0)
        return FRAY_ERR_SYNTAX;
    char type = frame.data[0];
    struct fray_slice data = fray_slice_skip(frame, 1);
    if (type == 'b') {
        if (fray_base64_decode(scratch, data))
            return FRAY_ERR_SYNTAX;
        *packet = fray_engineio_decode_binary(fray_buf_slice(scratch));
        return FRAY_OK;
    }
    if (type < '0' + FRAY_ENGINEIO_OPEN || type > '0' + FRAY_ENGINEIO_NOOP)
        return FRAY_ERR_SYNTAX;
    *packet = (struct fray_engineio_packet){(enum fray_engineio_type)(type - '0'), false, data};
    return FRAY_OK;
}

void fray_engineio_encode(struct fray_buf *buf, const struct fray_engineio_packet *packet)
{
    if (!packet->binary)
        fray_buf_append_byte(buf, (uint8_t)('0' + packet->type));
    fray_buf_append_slice(buf, packet->data);
}

struct fray_engineio_payload fray_engineio_payload_open(struct fray_slice body,
                                                        unsigned packets_max)
{
    return (struct fray_engineio_payload){.rest = body, .packets_left = packets_max};
}

static enum fray_err payload_take(struct fray_engineio_payload *payload, struct fray_buf *scratch,
                                  struct fray_engineio_packet *packet)
{
    if (payload->packets_left == 0)
        return FRAY_ERR_LIMIT;
    payload->packets_left--;
    struct fray_slice rest = payload->rest;
    const char *separator = rest.len ? memchr(rest.data, FRAY_ENGINEIO_SEPARATOR, rest.len) : NULL;
    struct fray_slice frame = rest;
    if (separator) {
        frame.len = (size_t)(separator - rest.data);
        payload->rest = fray_slice_skip(rest, frame.len + 1);
    } else {
        payload->done = true;
    }
    enum fray_err err = fray_engineio_decode_text(frame, scratch, packet);
    if (!err && !packet->binary && !fray_utf8_valid(packet->data))
        err = FRAY_ERR_UTF8;
    return err;
}

enum fray_err fray_engineio_payload_next(struct fray_engineio_payload *payload,
                                         struct fray_buf *scratch,
                                         struct fray_engineio_packet *packet)
{
    if (payload->done)
        return FRAY_ERR_NOT_FOUND;
    enum fray_err err = payload_take(payload, scratch, packet);
    if (err)
        payload->done = true;
    return err;
}

void fray_engineio_payload_append(struct fray_buf *buf, size_t body_start,
                                  const struct fray_engineio_packet *packet)
{
    if (buf->len > body_start)
        fray_buf_append_byte(buf, FRAY_ENGINEIO_SEPARATOR);
    if (!packet->binary) {
        fray_engineio_encode(buf, packet);
        return;
    }
    fray_buf_append_byte(buf, 'b');
    fray_base64_append(buf, packet->data);
}

void fray_engineio_encode_open(struct fray_buf *buf, const struct fray_engineio_open *open)
{
    FRAY_BUF_LITERAL(buf, "0{\"sid\":");
    fray_json_write_string(buf, open->sid);
    FRAY_BUF_LITERAL(buf, ",\"upgrades\":[");
    for (size_t i = 0; i < open->upgrade_count; i++) {
        if (i > 0)
            fray_buf_append_byte(buf, ',');
        fray_json_write_string(buf, open->upgrades[i]);
    }
    FRAY_BUF_LITERAL(buf, "],\"pingInterval\":");
    fray_buf_append_uint(buf, open->ping_interval_ms);
    FRAY_BUF_LITERAL(buf, ",\"pingTimeout\":");
    fray_buf_append_uint(buf, open->ping_timeout_ms);
    FRAY_BUF_LITERAL(buf, ",\"maxPayload\":");
    fray_buf_append_uint(buf, open->max_payload);
    fray_buf_append_byte(buf, '}');
}

struct fray_slice fray_engineio_error_message(enum fray_engineio_error error)
{
    switch (error) {
    case FRAY_ENGINEIO_UNKNOWN_TRANSPORT: return FRAY_SLICE("Transport unknown");
    case FRAY_ENGINEIO_UNKNOWN_SID: return FRAY_SLICE("Session ID unknown");
    case FRAY_ENGINEIO_BAD_HANDSHAKE_METHOD: return FRAY_SLICE("Bad handshake method");
    case FRAY_ENGINEIO_BAD_REQUEST: return FRAY_SLICE("Bad request");
    case FRAY_ENGINEIO_FORBIDDEN: return FRAY_SLICE("Forbidden");
    case FRAY_ENGINEIO_UNSUPPORTED_PROTOCOL_VERSION: break;
    }
    return FRAY_SLICE("Unsupported protocol version");
}

int fray_engineio_error_status(enum fray_engineio_error error)
{
    return error == FRAY_ENGINEIO_FORBIDDEN ? 403 : 400;
}

void fray_engineio_error_body(struct fray_buf *buf, enum fray_engineio_error error,
                              struct fray_slice message)
{
    FRAY_BUF_LITERAL(buf, "{\"code\":");
    fray_buf_append_uint(buf, (uint64_t)error);
    FRAY_BUF_LITERAL(buf, ",\"message\":");
    fray_json_write_string(buf, message.len ? message : fray_engineio_error_message(error));
    fray_buf_append_byte(buf, '}');
}
