/* A whole HTTP connection on the simulated network: bytes in segments of any size, replies at once
 * and later, clients that leave. The first byte decides how the rest is sent. The codecs alone have
 * http_fuzz.c. */
#include <stddef.h>
#include <stdint.h>

#include "transport/http_sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static fray_request *kept;

static void on_abort(fray_request *request)
{
    assert(request == kept);
    kept = NULL;
    fray_request_drop(request);
}

/* The last character of the path decides what becomes of a request. */
static void on_request(struct fray_http_service *service, fray_request *request)
{
    (void)service;
    const char *path = fray_request_path(request);
    json_decref(fray_request_headers(request));
    fray_request_query(request, "a");
    switch (path[strlen(path) - 1]) {
    case 's': fray_request_reply_static(request, 200, NULL, FRAY_SLICE("lasting")); return;
    case 'd': fray_request_drop(request); return;
    case 'k':
    case 'b':
        request->on_abort = on_abort;
        kept = request;
        if (path[strlen(path) - 1] == 'k')
            fray_request_keep(request);
        else
            fray_request_keep_bare(request);
        return;
    default: fray_request_reply(request, 200, NULL, request->body.data, request->body.len);
    }
}

static void on_head(struct fray_http_service *service, fray_request *request)
{
    (void)service;
    if (fray_http_request_has(request->head, FRAY_HTTP_HEADER_RANGE))
        fray_request_reply_status(request, 403);
}

static void send_some(struct http_client *client, const uint8_t **data, size_t *size, size_t want)
{
    size_t count = 0;
    struct iovec part = {(void *)*data, want < *size ? want : *size};
    if (client->stream && fray_stream_writev(client->stream, &part, 1, &count))
        count = 0;
    if (count == 0)
        count = part.iov_len; /* nobody listens */
    *data += count;
    *size -= count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    static struct http_sim sim;
    struct http_client client;
    unsigned mode = *data++;
    size--;
    http_sim_open(&sim, on_request);
    sim.service.on_head = on_head;
    sim.service.max_body = 64;
    fray_sim_network_options(sim.network)->segment_max = 1 + mode % 16 * 8;
    http_client_open(&client, &sim);
    while (size > 0) {
        send_some(&client, &data, &size, 1 + mode / 16 * 16);
        http_sim_run_ms(&sim, 5);
        if (kept && mode & 1) {
            fray_request *request = kept;
            kept = NULL;
            fray_request_reply(request, 200, NULL, "late", 4);
        }
    }
    if (mode & 2)
        http_client_close(&client, mode & 4);
    http_sim_run_ms(&sim, mode & 8 ? 70000 : 10);
    http_client_deinit(&client);
    http_sim_close(&sim); /* asserts that no descriptor is left */
    assert(!kept);
    return 0;
}
