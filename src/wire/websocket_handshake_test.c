#include "wire/websocket_handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define KEY FRAY_SLICE("dGhlIHNhbXBsZSBub25jZQ==") /* of RFC 6455 section 1.3 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static int hash_open(void **state)
{
    static struct fray_websocket_hash hash;
    fray_websocket_hash_init(&hash);
    *state = &hash;
    return 0;
}

static int hash_close(void **state)
{
    fray_websocket_hash_deinit(*state);
    return 0;
}

static struct fray_websocket_request good(void)
{
    return (struct fray_websocket_request){
        .method = FRAY_SLICE("GET"),
        .minor = 1,
        .upgrade = FRAY_SLICE("websocket"),
        .connection = FRAY_SLICE("keep-alive, Upgrade"),
        .version = FRAY_SLICE("13"),
        .key = KEY,
    };
}

static void accept_of_the_rfc_example_however_often(void **state)
{
    char out[FRAY_WEBSOCKET_ACCEPT_LEN];
    for (int i = 0; i < 3; i++) {
        fray_websocket_accept(*state, KEY, out);
        assert_memory_equal(out, ACCEPT, sizeof out);
    }
}

static void B13_upgrade_request_is_accepted(void **state)
{
    struct fray_websocket_request request = good();
    assert_int_equal(fray_websocket_request_check(&request), 101);
    request.upgrade = FRAY_SLICE("h2c, WebSocket");
    request.connection = FRAY_SLICE("UPGRADE");
    assert_int_equal(fray_websocket_request_check(&request), 101);

    struct fray_buf out = {0};
    fray_websocket_response_append(&out, *state, KEY,
                                   &(struct fray_websocket_answer){
                                       .protocol = FRAY_SLICE("mqtt"),
                                       .extensions = FRAY_SLICE("permessage-deflate"),
                                       .fields = FRAY_SLICE("Server: fray\r\n"),
                                   });
    fray_buf_append_byte(&out, 0);
    assert_string_equal(out.data, "HTTP/1.1 101 Switching Protocols\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Accept: " ACCEPT "\r\n"
                                  "Sec-WebSocket-Protocol: mqtt\r\n"
                                  "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                                  "Server: fray\r\n\r\n");
    fray_buf_deinit(&out);
}

static void each_wrong_field_has_its_status(void **unused)
{
    (void)unused;
#define STATUS_WITH(field, value, status)                                                          \
    do {                                                                                           \
        struct fray_websocket_request request = good();                                            \
        request.field = value;                                                                     \
        assert_int_equal(fray_websocket_request_check(&request), status);                          \
    } while (0)
    STATUS_WITH(method, FRAY_SLICE("POST"), 405);
    STATUS_WITH(method, FRAY_SLICE("get"), 405);
    STATUS_WITH(minor, 0, 400);
    STATUS_WITH(upgrade, FRAY_SLICE(""), 400);
    STATUS_WITH(upgrade, FRAY_SLICE("websockets"), 400);
    STATUS_WITH(upgrade, FRAY_SLICE("web socket"), 400);
    STATUS_WITH(upgrade, FRAY_SLICE("\"a, websocket\""), 400);
    STATUS_WITH(connection, FRAY_SLICE("keep-alive"), 400);
    STATUS_WITH(version, FRAY_SLICE(""), 426);
    STATUS_WITH(version, FRAY_SLICE("8"), 426);
    STATUS_WITH(version, FRAY_SLICE("13, 13"), 426);
    STATUS_WITH(key, FRAY_SLICE(""), 400);
    STATUS_WITH(key, FRAY_SLICE("dGhlIHNhbXBsZSBub25jZQ="), 400);
    STATUS_WITH(key, FRAY_SLICE("dGhlIHNhbXBsZSBub25jZSE="), 400); /* 17 bytes */
    STATUS_WITH(key, FRAY_SLICE("dGhlIHNhbXBsZSBub25j*Q=="), 400);
    STATUS_WITH(key, FRAY_SLICE("dGhlIHNhbXBsZSBub25jZSEh"), 400); /* 18 bytes */
#undef STATUS_WITH
}

static void lists_are_cut_at_bare_commas(void **unused)
{
    (void)unused;
    struct fray_slice rest = FRAY_SLICE(" , a ,\tb=\"x,\\\"y\" ,,c"), element;
    static const char *const expected[] = {"a", "b=\"x,\\\"y\"", "c"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(fray_websocket_list_next(&rest, &element));
        assert_true(fray_slice_equal(element, fray_slice_of(expected[i])));
    }
    assert_false(fray_websocket_list_next(&rest, &element));
}

static void protocol_is_the_clients_first_that_is_supported(void **unused)
{
    (void)unused;
    const struct fray_slice supported[] = {FRAY_SLICE("fray"), FRAY_SLICE("mqtt")};
    assert_ptr_equal(fray_websocket_protocol_pick(FRAY_SLICE("x, mqtt, fray"), supported, 2),
                     &supported[1]);
    assert_null(fray_websocket_protocol_pick(FRAY_SLICE("MQTT, mqttv3.1"), supported, 2));
    assert_null(fray_websocket_protocol_pick(FRAY_SLICE(""), supported, 2));
}

static void B13_client_and_server_understand_each_other(void **state)
{
    struct fray_buf out = {0};
    char key[FRAY_WEBSOCKET_KEY_LEN];
    struct fray_websocket_target target = {
        .host = FRAY_SLICE("localhost:8080"),
        .path = FRAY_SLICE("/ws?room=1"),
        .protocols = FRAY_SLICE("mqtt"),
    };
    fray_websocket_request_append(&out, &target, (const uint8_t *)"the sample nonce", key);
    assert_memory_equal(key, KEY.data, sizeof key);
    fray_buf_append_byte(&out, 0);
    assert_string_equal(out.data, "GET /ws?room=1 HTTP/1.1\r\n"
                                  "Host: localhost:8080\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Protocol: mqtt\r\n\r\n");
    out.len = 0;
    fray_websocket_response_append(&out, *state, KEY,
                                   &(struct fray_websocket_answer){.protocol = FRAY_SLICE("mqtt")});
    size_t head = out.len;
    FRAY_BUF_LITERAL(&out, "\x81\x00");
    struct fray_websocket_response response;
    for (size_t len = 0; len < head; len++)
        assert_int_equal(fray_websocket_response_decode(fray_slice(out.data, len), &response),
                         FRAY_ERR_AGAIN);
    assert_int_equal(fray_websocket_response_decode(fray_buf_slice(&out), &response), FRAY_OK);
    assert_int_equal(response.len, head);
    assert_int_equal(fray_websocket_response_check(&response, *state, KEY, target.protocols),
                     FRAY_OK);
    assert_true(fray_slice_equal(response.protocol, FRAY_SLICE("mqtt")));
    assert_int_equal(fray_websocket_response_check(&response, *state, KEY, FRAY_SLICE("other")),
                     FRAY_ERR_SYNTAX);
    assert_int_equal(fray_websocket_response_check(&response, *state,
                                                   FRAY_SLICE("AAAAAAAAAAAAAAAAAAAAAA=="),
                                                   target.protocols),
                     FRAY_ERR_SYNTAX);
    fray_buf_deinit(&out);
}

static void client_refuses_other_responses(void **state)
{
#define OPENING "HTTP/1.1 101 Switching Protocols\r\n"
#define PROOF "sec-websocket-accept:" ACCEPT "\r\n"
    static const struct {
        const char *text;
        enum fray_err decoded;
        enum fray_err checked;
    } rows[] = {
        {OPENING "upgrade: WebSocket\r\nconnection: upgrade\r\n" PROOF "\r\n", FRAY_OK, FRAY_OK},
        {"HTTP/1.1 101\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" PROOF "\r\n", FRAY_OK,
         FRAY_OK},
        {OPENING "Upgrade: websocket\r\n" PROOF "\r\n", FRAY_OK, FRAY_ERR_SYNTAX},
        {OPENING "Connection: Upgrade\r\n" PROOF "\r\n", FRAY_OK, FRAY_ERR_SYNTAX},
        {OPENING "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", FRAY_OK, FRAY_ERR_SYNTAX},
        {OPENING "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: x\r\n" PROOF
                 "\r\n",
         FRAY_OK, FRAY_ERR_SYNTAX},
        {"HTTP/1.1 503 Busy\r\n\r\n", FRAY_OK, FRAY_ERR_DENIED},
        {"HTTP/1.0 101 Old\r\n\r\n", FRAY_ERR_SYNTAX, FRAY_OK},
        {"HTTP/1.1 1x1 Odd\r\n\r\n", FRAY_ERR_SYNTAX, FRAY_OK},
        {"HTTP/1.1 1010 Long\r\n\r\n", FRAY_ERR_SYNTAX, FRAY_OK},
        {"\r\n\r\n", FRAY_ERR_SYNTAX, FRAY_OK},
        {OPENING "no colon\r\n\r\n", FRAY_ERR_SYNTAX, FRAY_OK},
        {OPENING " folded: line\r\n\r\n", FRAY_ERR_SYNTAX, FRAY_OK},
        {OPENING PROOF PROOF "\r\n", FRAY_ERR_SYNTAX, FRAY_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fray_websocket_response response;
        enum fray_err err = fray_websocket_response_decode(fray_slice_of(rows[i].text), &response);
        assert_int_equal(err, rows[i].decoded);
        if (!err)
            assert_int_equal(fray_websocket_response_check(&response, *state, KEY, FRAY_SLICE("")),
                             rows[i].checked);
    }
#undef OPENING
#undef PROOF
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_of_the_rfc_example_however_often),
        cmocka_unit_test(B13_upgrade_request_is_accepted),
        cmocka_unit_test(each_wrong_field_has_its_status),
        cmocka_unit_test(lists_are_cut_at_bare_commas),
        cmocka_unit_test(protocol_is_the_clients_first_that_is_supported),
        cmocka_unit_test(B13_client_and_server_understand_each_other),
        cmocka_unit_test(client_refuses_other_responses),
    };
    return cmocka_run_group_tests(tests, hash_open, hash_close);
}
