/* A client's upgrade request and offers, a server's response and answer, base64. Input: one byte
 * that picks the decoder, then its text. */
#include <assert.h>
#include <stdlib.h>

#include "wire/base64.h"
#include "wire/websocket_deflate.h"
#include "wire/websocket_handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a server accepts, a client that offered it must be able to confirm. */
static void fuzz_offers(struct fray_slice text)
{
    struct fray_websocket_deflate_config config = fray_websocket_deflate_config_default();
    struct fray_websocket_deflate server, client;
    struct fray_buf answer = {0};
    if (!fray_websocket_deflate_accept(&config, text, &server, &answer)) {
        enum fray_err err =
            fray_websocket_deflate_confirm(&config, fray_buf_slice(&answer), &client);
        assert(!err && server.send_bits == client.receive_bits);
        assert(server.send_bits >= 8 && server.send_bits <= 15);
        assert(server.receive_bits >= 8 && server.receive_bits <= 15);
    } else {
        assert(answer.len == 0);
    }
    fray_buf_deinit(&answer);
    if (!fray_websocket_deflate_confirm(&config, text, &client))
        assert(client.send_bits >= 8 && client.receive_bits >= 8);
}

static void fuzz_response(struct fray_slice text)
{
    struct fray_websocket_hash hash;
    fray_websocket_hash_init(&hash);
    struct fray_websocket_response response;
    if (!fray_websocket_response_decode(text, &response)) {
        assert(response.len <= text.len && response.status <= 999);
        struct fray_slice key = FRAY_SLICE("dGhlIHNhbXBsZSBub25jZQ==");
        enum fray_err err =
            fray_websocket_response_check(&response, &hash, key, FRAY_SLICE("mqtt"));
        assert(err || response.status == 101);
    }
    fray_websocket_hash_deinit(&hash);
}

static void fuzz_request(struct fray_slice text)
{
    size_t third = text.len / 3;
    struct fray_websocket_request request = {
        .method = FRAY_SLICE("GET"),
        .minor = 1,
        .upgrade = fray_slice(text.data, third),
        .connection = fray_slice(text.data + third, third),
        .version = FRAY_SLICE("13"),
        .key = fray_slice_skip(text, 2 * third),
    };
    unsigned status = fray_websocket_request_check(&request);
    assert(status == 101 || status == 400);
}

static void fuzz_base64(struct fray_slice text)
{
    struct fray_buf decoded = {0}, encoded = {0}, again = {0};
    if (!fray_base64_decode(&decoded, text)) {
        fray_base64_append(&encoded, fray_buf_slice(&decoded));
        assert(encoded.len == text.len);
        enum fray_err err = fray_base64_decode(&again, fray_buf_slice(&encoded));
        assert(!err && fray_slice_equal(fray_buf_slice(&again), fray_buf_slice(&decoded)));
    }
    fray_buf_deinit(&decoded);
    fray_buf_deinit(&encoded);
    fray_buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct fray_slice text = fray_slice(data + 1, size - 1);
    switch (data[0] & 3) {
    case 0: fuzz_offers(text); break;
    case 1: fuzz_response(text); break;
    case 2: fuzz_request(text); break;
    case 3: fuzz_base64(text); break;
    }
    return 0;
}
