#include "server/replay_desync.h"

#include "wire/json.h"

/* In the queue, with the bytes of both behind. */
struct line {
    size_t head_len, log_len;
};

size_t fray_replay_desync_len(struct fray_slice head, struct fray_slice log)
{
    return head.len + log.len + sizeof ",\"log\":}";
}

void fray_replay_desync_push(struct fray_buf *queue, struct fray_slice head, struct fray_slice log)
{
    const struct line line = {head.len, log.len};
    fray_buf_append(queue, &line, sizeof line);
    fray_buf_append_slice(queue, head);
    fray_buf_append_slice(queue, log);
}

/* A line break is never a part of JSON, only between its parts. */
static void append_as_line(struct fray_buf *text, struct fray_slice json)
{
    size_t at = text->len;
    fray_buf_append_slice(text, json);
    for (; at < text->len; at++) {
        if (text->data[at] == '\n' || text->data[at] == '\r')
            text->data[at] = ' ';
    }
}

static bool is_object(struct fray_slice text)
{
    return !fray_json_validate(text, FRAY_JSON_DEPTH_DEFAULT) &&
           fray_json_kind(fray_json_trim(text)) == FRAY_JSON_OBJECT;
}

void fray_replay_desync_write(struct fray_slice queue, struct fray_buf *text)
{
    struct line line;
    while (queue.len) {
        memcpy(&line, queue.data, sizeof line);
        struct fray_slice head = {queue.data + sizeof line, line.head_len};
        struct fray_slice log = {head.data + head.len, line.log_len};
        queue = fray_slice_skip(queue, sizeof line + head.len + log.len);
        if (log.len && !is_object(log))
            continue;
        fray_buf_append_slice(text, head);
        if (log.len)
            FRAY_BUF_LITERAL(text, ",\"log\":");
        append_as_line(text, log);
        FRAY_BUF_LITERAL(text, "}\n");
    }
}
