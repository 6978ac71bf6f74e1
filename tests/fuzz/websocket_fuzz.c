/* A peer's bytes through the message decoder, and compressed messages through inflate. Input: one
 * byte of options, one byte of read size, then the bytes. However the reads are cut, the same
 * events must come out. */
#include <assert.h>
#include <stdlib.h>

#include "wire/utf8.h"
#include "wire/websocket_deflate.h"

enum { MESSAGE_MAX = 5000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void log_event(struct fray_buf *log, const struct fray_websocket_event *event)
{
    fray_buf_printf(log, "%u %u %zu ", event->opcode, event->close_code, event->payload.len);
    fray_buf_append_slice(log, event->payload);
}

static enum fray_err events(struct fray_websocket_decoder *decoder,
                            struct fray_websocket_deflate *deflate,
                            struct fray_websocket_deflate_worker *worker, struct fray_buf *in,
                            struct fray_buf *log)
{
    struct fray_websocket_event event;
    enum fray_err err;
    size_t used;
    while (!(err = fray_websocket_decode(decoder, in->data, in->len, &used, &event))) {
        assert(used > 0 && used <= in->len && event.payload.len <= MESSAGE_MAX);
        err = fray_websocket_inflate(deflate, worker, MESSAGE_MAX, &event);
        assert(event.payload.len <= MESSAGE_MAX);
        if (err)
            break;
        assert(event.opcode != FRAY_WEBSOCKET_TEXT || fray_utf8_valid(event.payload));
        log_event(log, &event);
        fray_buf_consume(in, used);
    }
    if (err != FRAY_ERR_AGAIN && err != FRAY_ERR_CLOSED) {
        assert(event.fault && fray_websocket_close_code_valid(event.close_code));
        fray_buf_printf(log, "%s %u", fray_err_name(err), event.close_code);
    }
    assert(used <= in->len);
    fray_buf_consume(in, used);
    assert(err != FRAY_ERR_AGAIN || in->len < FRAY_WEBSOCKET_LEFTOVER_MAX);
    return err;
}

static struct fray_buf run(struct fray_slice bytes, size_t step, uint8_t options)
{
    struct fray_websocket_deflate_config config = fray_websocket_deflate_config_default();
    struct fray_websocket_deflate_worker worker;
    fray_websocket_deflate_worker_init(&worker, &config);
    struct fray_websocket_deflate deflate = {.send_bits = 15, .receive_bits = 15};
    deflate.receive_takeover = options & 4;
    if (options & 8)
        deflate.receive_bits = 8;
    struct fray_websocket_decoder decoder;
    fray_websocket_decoder_init(&decoder, MESSAGE_MAX, options & 3);
    struct fray_buf in = {0}, log = {0};
    enum fray_err err = FRAY_ERR_AGAIN;
    for (size_t at = 0; at < bytes.len && err == FRAY_ERR_AGAIN; at += step) {
        fray_buf_append(&in, bytes.data + at, bytes.len - at < step ? bytes.len - at : step);
        err = events(&decoder, &deflate, &worker, &in, &log);
    }
    fray_websocket_decoder_deinit(&decoder);
    fray_websocket_deflate_deinit(&deflate);
    fray_websocket_deflate_worker_deinit(&worker);
    fray_buf_deinit(&in);
    return log;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    struct fray_slice bytes = fray_slice(data + 2, size - 2);
    struct fray_buf whole = run(bytes, bytes.len, data[0]);
    struct fray_buf cut = run(bytes, 1 + data[1] % 64, data[0]);
    assert(fray_slice_equal(fray_buf_slice(&whole), fray_buf_slice(&cut)));
    fray_buf_deinit(&whole);
    fray_buf_deinit(&cut);
    return 0;
}
