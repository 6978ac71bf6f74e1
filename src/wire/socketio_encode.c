#include "wire/json.h"
#include "wire/socketio.h"

static void write_header(struct fray_buf *buf, enum fray_socketio_type type, unsigned attachments,
                         struct fray_slice namespace_name)
{
    fray_buf_append_byte(buf, (uint8_t)('0' + type));
    if (type == FRAY_SOCKETIO_BINARY_EVENT || type == FRAY_SOCKETIO_BINARY_ACK) {
        fray_buf_append_uint(buf, attachments);
        fray_buf_append_byte(buf, '-');
    }
    if (!fray_slice_equal(namespace_name, FRAY_SLICE("/"))) {
        fray_buf_append_slice(buf, namespace_name);
        fray_buf_append_byte(buf, ',');
    }
}

void fray_socketio_encode_event(struct fray_buf *buf, const struct fray_socketio_event *event)
{
    write_header(buf, event->attachments ? FRAY_SOCKETIO_BINARY_EVENT : FRAY_SOCKETIO_EVENT,
                 event->attachments, event->namespace_name);
    if (event->has_ack_id)
        fray_buf_append_uint(buf, event->ack_id);
    fray_buf_append_byte(buf, '[');
    if (event->name_json.len)
        fray_buf_append_slice(buf, event->name_json);
    else
        fray_json_write_string(buf, event->name);
    if (event->args.len) {
        fray_buf_append_byte(buf, ',');
        fray_buf_append_slice(buf, event->args);
    }
    if (event->offset.len) {
        fray_buf_append_byte(buf, ',');
        fray_json_write_string(buf, event->offset);
    }
    fray_buf_append_byte(buf, ']');
}

void fray_socketio_encode_ack(struct fray_buf *buf, struct fray_slice namespace_name,
                              uint64_t ack_id, struct fray_slice args, unsigned attachments)
{
    write_header(buf, attachments ? FRAY_SOCKETIO_BINARY_ACK : FRAY_SOCKETIO_ACK, attachments,
                 namespace_name);
    fray_buf_append_uint(buf, ack_id);
    fray_buf_append_byte(buf, '[');
    fray_buf_append_slice(buf, args);
    fray_buf_append_byte(buf, ']');
}

void fray_socketio_encode_connect(struct fray_buf *buf, struct fray_slice namespace_name,
                                  struct fray_slice sid, struct fray_slice pid)
{
    write_header(buf, FRAY_SOCKETIO_CONNECT, 0, namespace_name);
    FRAY_BUF_LITERAL(buf, "{\"sid\":");
    fray_json_write_string(buf, sid);
    if (pid.len) {
        FRAY_BUF_LITERAL(buf, ",\"pid\":");
        fray_json_write_string(buf, pid);
    }
    fray_buf_append_byte(buf, '}');
}

void fray_socketio_encode_connect_error(struct fray_buf *buf, struct fray_slice namespace_name,
                                        struct fray_slice message, struct fray_slice data_json)
{
    write_header(buf, FRAY_SOCKETIO_CONNECT_ERROR, 0, namespace_name);
    FRAY_BUF_LITERAL(buf, "{\"message\":");
    fray_json_write_string(buf, message);
    if (data_json.len) {
        FRAY_BUF_LITERAL(buf, ",\"data\":");
        fray_buf_append_slice(buf, data_json);
    }
    fray_buf_append_byte(buf, '}');
}

void fray_socketio_encode_connect_error_json(struct fray_buf *buf, struct fray_slice namespace_name,
                                             struct fray_slice error_json)
{
    write_header(buf, FRAY_SOCKETIO_CONNECT_ERROR, 0, namespace_name);
    fray_buf_append_slice(buf, error_json);
}

void fray_socketio_encode_disconnect(struct fray_buf *buf, struct fray_slice namespace_name)
{
    write_header(buf, FRAY_SOCKETIO_DISCONNECT, 0, namespace_name);
}

void fray_socketio_write_placeholder(struct fray_buf *buf, unsigned num)
{
    FRAY_BUF_LITERAL(buf, "{\"_placeholder\":true,\"num\":");
    fray_buf_append_uint(buf, num);
    fray_buf_append_byte(buf, '}');
}
