#include "wire/websocket_deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MESSAGE_MAX = 1 << 20 };

static struct fray_websocket_deflate_config eager(void)
{
    struct fray_websocket_deflate_config config = fray_websocket_deflate_config_default();
    config.threshold = 0;
    return config;
}

static enum fray_err inflate_bytes(struct fray_websocket_deflate *deflate,
                                   struct fray_websocket_deflate_worker *worker,
                                   struct fray_slice bytes, struct fray_websocket_event *event)
{
    *event = (struct fray_websocket_event){
        .payload = bytes, .opcode = FRAY_WEBSOCKET_TEXT, .compressed = true};
    return fray_websocket_inflate(deflate, worker, MESSAGE_MAX, event);
}

static void negotiate(const struct fray_websocket_deflate_config *config, const char *offers,
                      const char *expected)
{
    struct fray_websocket_deflate deflate;
    struct fray_buf answer = {0};
    enum fray_err err =
        fray_websocket_deflate_accept(config, fray_slice_of(offers), &deflate, &answer);
    if (err)
        FRAY_BUF_LITERAL(&answer, "-");
    if (err == FRAY_ERR_SYNTAX)
        FRAY_BUF_LITERAL(&answer, "-");
    fray_buf_append_byte(&answer, 0);
    assert_string_equal(answer.data, expected);
    fray_buf_deinit(&answer);
}

#define PMD "permessage-deflate"
#define S_NO "; server_no_context_takeover"
#define C_NO "; client_no_context_takeover"
#define S_BITS "; server_max_window_bits"
#define C_BITS "; client_max_window_bits"

static void offers_and_answers_without_takeover(void **unused)
{
    (void)unused;
    struct fray_websocket_deflate_config config = eager();
    static const char *const rows[][2] = {
        {"", "-"},
        {"x-webkit-deflate-frame", "-"},
        {PMD, PMD S_NO C_NO},
        {PMD C_BITS, PMD S_NO C_NO},
        {PMD C_BITS "=10", PMD S_NO C_NO C_BITS "=10"},
        {PMD " ;\tserver_max_window_bits = \"9\" ", PMD S_NO C_NO S_BITS "=9"},
        {PMD S_BITS "=8", PMD S_NO C_NO S_BITS "=8"},
        {PMD S_BITS "=15" S_NO C_NO, PMD S_NO C_NO S_BITS "=15"},
        /* unacceptable offers (section 7.1): the next one counts */
        {PMD S_BITS, "-"},
        {PMD S_BITS "=7", "-"},
        {PMD S_BITS "=16", "-"},
        {PMD S_BITS "=09", "-"},
        {PMD C_BITS "=0", "-"},
        {PMD C_BITS "=\"10\"", PMD S_NO C_NO C_BITS "=10"},
        {PMD S_NO "=1", "-"},
        {PMD S_NO S_NO, "-"},
        {PMD "; unknown", "-"},
        {"permessage-deflatex, " PMD "; unknown=1, " PMD C_BITS "=9, " PMD,
         PMD S_NO C_NO C_BITS "=9"},
        /* not of the grammar: the handshake fails */
        {PMD ";", "--"},
        {PMD "; =1", "--"},
        {PMD S_BITS "=", "--"},
        {PMD S_BITS "=\"10", "--"},
        {PMD " bogus", "--"},
        {"(", "--"},
        {PMD ", ;", "--"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        negotiate(&config, rows[i][0], rows[i][1]);
}

static void offers_and_answers_with_takeover_and_small_windows(void **unused)
{
    (void)unused;
    struct fray_websocket_deflate_config config = eager();
    config.server_takeover = config.client_takeover = true;
    negotiate(&config, PMD, PMD);
    negotiate(&config, PMD S_NO, PMD S_NO);
    negotiate(&config, PMD C_NO, PMD C_NO);
    config.server_window_bits = config.client_window_bits = 10;
    negotiate(&config, PMD, PMD); /* a client that did not offer it may not be asked */
    negotiate(&config, PMD C_BITS, PMD C_BITS "=10");
    negotiate(&config, PMD C_BITS "=9", PMD C_BITS "=9");
    negotiate(&config, PMD S_BITS "=12", PMD S_BITS "=10");
}

static void client_judges_the_answer(void **unused)
{
    (void)unused;
    struct fray_websocket_deflate_config config = eager();
    config.client_takeover = true;
    config.server_window_bits = 12;
    struct fray_buf offer = {0};
    fray_websocket_deflate_offer(&config, &offer);
    fray_buf_append_byte(&offer, 0);
    assert_string_equal(offer.data, PMD S_NO S_BITS "=12" C_BITS);
    fray_buf_deinit(&offer);
    static const struct {
        const char *answer;
        enum fray_err err;
    } rows[] = {
        {"", FRAY_ERR_NOT_FOUND},
        {PMD S_NO S_BITS "=12", FRAY_OK},
        {PMD S_NO S_BITS "=8" C_NO C_BITS "=9", FRAY_OK},
        {PMD S_BITS "=12", FRAY_ERR_SYNTAX},
        {PMD S_NO, FRAY_ERR_SYNTAX},
        {PMD S_NO S_BITS "=13", FRAY_ERR_SYNTAX},
        {PMD S_NO S_BITS "=12" C_BITS, FRAY_ERR_SYNTAX},
        {PMD S_NO S_BITS "=12; other", FRAY_ERR_SYNTAX},
        {PMD S_NO S_BITS "=12, " PMD, FRAY_ERR_SYNTAX},
        {"other", FRAY_ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fray_websocket_deflate deflate;
        assert_int_equal(
            fray_websocket_deflate_confirm(&config, fray_slice_of(rows[i].answer), &deflate),
            rows[i].err);
    }
}

/* Text that repeats itself at every distance up to more than any window, so that a sender which
 * looked back too far for its receiver would be caught. */
static struct fray_slice sample(char *text, size_t len)
{
    uint32_t random = 1;
    for (size_t i = 0; i < len;) {
        random = random * 1664525 + 1013904223;
        size_t back = 1 + (random >> 8) % (1u << (6 + (random >> 24) % 10));
        text[i++] = (char)('a' + (random >> 20) % 26);
        for (size_t run = 0; run < 12 && i < len && i >= back; run++, i++)
            text[i] = text[i - back];
    }
    return fray_slice(text, len);
}

/* Sends text of several lengths from one end to the other, through frames. */
static void round_trips(struct fray_websocket_deflate *from, struct fray_websocket_deflate *to,
                        const struct fray_websocket_deflate_config *config)
{
    enum { SAMPLE = 200000 };
    static const size_t lens[] = {5, 0, 1, 100, 100, 70000, SAMPLE, 3};
    char *text = malloc(SAMPLE);
    sample(text, SAMPLE);
    struct fray_websocket_deflate_worker sender, receiver;
    fray_websocket_deflate_worker_init(&sender, config);
    fray_websocket_deflate_worker_init(&receiver, config);
    struct fray_websocket_decoder decoder;
    fray_websocket_decoder_init(&decoder, MESSAGE_MAX,
                                FRAY_WEBSOCKET_DEFLATE | FRAY_WEBSOCKET_CLIENT);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct fray_slice message = fray_slice(text, lens[i]);
        struct fray_buf payload = {0}, wire = {0};
        unsigned first = FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_TEXT;
        if (fray_websocket_deflate_payload(from, &sender, message, &payload)) {
            fray_websocket_frame_append(&wire, first | FRAY_WEBSOCKET_RSV1,
                                        fray_buf_slice(&payload), NULL);
            if (lens[i] >= 100)
                assert_true(payload.len < message.len);
        } else {
            fray_websocket_frame_append(&wire, first, message, NULL);
        }
        struct fray_websocket_event event;
        size_t used;
        assert_int_equal(fray_websocket_decode(&decoder, wire.data, wire.len, &used, &event), 0);
        assert_int_equal(fray_websocket_inflate(to, &receiver, MESSAGE_MAX, &event), 0);
        assert_true(fray_slice_equal(event.payload, message));
        assert_int_equal(event.opcode, FRAY_WEBSOCKET_TEXT);
        assert_false(event.compressed);
        fray_buf_deinit(&payload);
        fray_buf_deinit(&wire);
    }
    fray_websocket_deflate_worker_deinit(&sender);
    fray_websocket_deflate_worker_deinit(&receiver);
    fray_websocket_decoder_deinit(&decoder);
    free(text);
}

static void every_negotiated_variant_round_trips_both_ways(void **unused)
{
    (void)unused;
    for (unsigned variant = 0; variant < 4 * 8; variant++) {
        struct fray_websocket_deflate_config config = eager();
        config.level = 6;
        config.server_takeover = variant & 1;
        config.client_takeover = variant & 2;
        config.server_window_bits = (uint8_t)(8 + variant / 4);
        config.client_window_bits = (uint8_t)(15 - variant / 4);
        struct fray_buf offer = {0}, answer = {0};
        struct fray_websocket_deflate server, client;
        fray_websocket_deflate_offer(&config, &offer);
        assert_int_equal(
            fray_websocket_deflate_accept(&config, fray_buf_slice(&offer), &server, &answer), 0);
        assert_int_equal(fray_websocket_deflate_confirm(&config, fray_buf_slice(&answer), &client),
                         0);
        assert_int_equal(server.send_bits, 8 + variant / 4);
        assert_int_equal(client.receive_bits, server.send_bits);
        assert_int_equal(client.send_bits, 15 - variant / 4);
        /* Receivers with a stream of their own have the negotiated window and no more. */
        struct fray_websocket_deflate strict_client = client, strict_server = server;
        strict_client.receive_takeover = strict_server.receive_takeover = true;
        round_trips(&server, &strict_client, &config);
        round_trips(&client, &strict_server, &config);
        assert_int_equal(server.deflate != NULL, config.server_takeover);
        assert_int_equal(client.deflate != NULL, config.client_takeover);
        fray_websocket_deflate_deinit(&server);
        fray_websocket_deflate_deinit(&client);
        fray_websocket_deflate_deinit(&strict_server);
        fray_websocket_deflate_deinit(&strict_client);
        fray_buf_deinit(&offer);
        fray_buf_deinit(&answer);
    }
}

static void short_messages_and_those_that_do_not_shrink_go_as_they_are(void **unused)
{
    (void)unused;
    struct fray_websocket_deflate_config config = eager();
    config.threshold = 10;
    struct fray_websocket_deflate_worker worker;
    fray_websocket_deflate_worker_init(&worker, &config);
    struct fray_websocket_deflate deflate = {.send_bits = 15, .receive_bits = 15};
    struct fray_buf out = {0};
    assert_false(fray_websocket_deflate_payload(&deflate, &worker, FRAY_SLICE("aaaaaaaaa"), &out));
    assert_false(
        fray_websocket_deflate_payload(&deflate, &worker, FRAY_SLICE("0qW}z~P4#i1"), &out));
    assert_int_equal(out.len, 0);
    assert_true(
        fray_websocket_deflate_payload(&deflate, &worker, FRAY_SLICE("aaaaaaaaaaaa"), &out));
    fray_buf_deinit(&out);
    fray_websocket_deflate_worker_deinit(&worker);
}

static void examples_of_rfc7692_section_7_2_3(void **unused)
{
    (void)unused;
    struct fray_websocket_deflate_config config = eager();
    struct fray_websocket_deflate_worker worker;
    fray_websocket_deflate_worker_init(&worker, &config);
    struct fray_websocket_deflate deflate = {
        .send_bits = 15, .receive_bits = 15, .receive_takeover = true};
    static const struct fray_slice hello[] = {
        {"\xf2\x48\xcd\xc9\xc9\x07\x00", 7},                  /* one block */
        {"\xf2\x00\x11\x00\x00", 5},                          /* the same again, from the window */
        {"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11}, /* stored */
        {"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8},              /* BFINAL set */
        {"\xf2\x00\x11\x00\x00", 5}, /* the window outlives a final block */
        {"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13}, /* two blocks */
        {"\xf3\x48\xcd\xc9\xc9\x07\x00", 7}, /* a final block and nothing behind it */
    };
    struct fray_websocket_event event;
    for (size_t i = 0; i < sizeof hello / sizeof *hello; i++) {
        assert_int_equal(inflate_bytes(&deflate, &worker, hello[i], &event), FRAY_OK);
        assert_true(fray_slice_equal(event.payload, FRAY_SLICE("Hello")));
    }
    assert_int_equal(inflate_bytes(&deflate, &worker, fray_slice("\0", 1), &event), FRAY_OK);
    assert_int_equal(event.payload.len, 0);
    assert_int_equal(inflate_bytes(&deflate, &worker, fray_slice(NULL, 0), &event), FRAY_OK);
    assert_int_equal(event.payload.len, 0);
    fray_websocket_deflate_deinit(&deflate);
    fray_websocket_deflate_worker_deinit(&worker);
}

static void without_takeover_nothing_is_remembered(void **unused)
{
    (void)unused;
    struct fray_websocket_deflate_config config = eager();
    struct fray_websocket_deflate_worker worker;
    fray_websocket_deflate_worker_init(&worker, &config);
    struct fray_websocket_deflate deflate = {.send_bits = 15, .receive_bits = 15};
    struct fray_websocket_event event;
    struct fray_slice first = {"\xf2\x48\xcd\xc9\xc9\x07\x00", 7};
    struct fray_slice second = {"\xf2\x00\x11\x00\x00", 5};
    assert_int_equal(inflate_bytes(&deflate, &worker, first, &event), FRAY_OK);
    assert_int_equal(inflate_bytes(&deflate, &worker, second, &event), FRAY_ERR_SYNTAX);
    assert_int_equal(event.close_code, FRAY_WEBSOCKET_CLOSE_PROTOCOL_ERROR);
    assert_int_equal(inflate_bytes(&deflate, &worker, first, &event), FRAY_OK);
    assert_null(deflate.inflate);
    fray_websocket_deflate_worker_deinit(&worker);
}

static void broken_messages_have_their_codes(void **unused)
{
    (void)unused;
    struct fray_websocket_deflate_config config = eager();
    struct fray_websocket_deflate_worker worker;
    fray_websocket_deflate_worker_init(&worker, &config);
    struct fray_websocket_deflate deflate = {.send_bits = 15, .receive_bits = 15};
    static const struct {
        struct fray_slice bytes;
        enum fray_err err;
        unsigned code;
    } rows[] = {
        {{"\xff\xff\xff", 3}, FRAY_ERR_SYNTAX, 1002},     /* no such block type */
        {{"\xf2\x48\xcd\xc9", 4}, FRAY_ERR_SYNTAX, 1002}, /* cut short */
        {{"\x00\x09\x00\xf6\xff\x48", 6}, FRAY_ERR_SYNTAX, 1002},
        {{"\x00\x02\x00\xfd\xff\xc3\x28\x00", 8}, FRAY_ERR_UTF8, 1007},
    };
    struct fray_websocket_event event;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(inflate_bytes(&deflate, &worker, rows[i].bytes, &event), rows[i].err);
        assert_int_equal(event.close_code, rows[i].code);
        assert_non_null(event.fault);
    }
    fray_websocket_deflate_worker_deinit(&worker);
}

static void a_bomb_stops_at_the_limit(void **unused)
{
    (void)unused;
    struct fray_websocket_deflate_config config = eager();
    struct fray_websocket_deflate_worker worker;
    fray_websocket_deflate_worker_init(&worker, &config);
    struct fray_websocket_deflate deflate = {.send_bits = 15, .receive_bits = 15};
    struct fray_buf bomb = {0};
    enum { SIZE = 32 << 20 };
    char *zeros = calloc(1, SIZE);
    assert_true(fray_websocket_deflate_payload(&deflate, &worker, fray_slice(zeros, SIZE), &bomb));
    struct fray_websocket_event event;
    assert_int_equal(inflate_bytes(&deflate, &worker, fray_buf_slice(&bomb), &event),
                     FRAY_ERR_LIMIT);
    assert_int_equal(event.close_code, FRAY_WEBSOCKET_CLOSE_TOO_BIG);
    assert_true(worker.inflated.cap <= 2 * MESSAGE_MAX);
    for (int more = 0; more < 2; more++) { /* exactly the limit passes, one byte more does not */
        bomb.len = 0;
        assert_true(fray_websocket_deflate_payload(
            &deflate, &worker, fray_slice(zeros, MESSAGE_MAX + (size_t)more), &bomb));
        assert_int_equal(inflate_bytes(&deflate, &worker, fray_buf_slice(&bomb), &event),
                         more ? FRAY_ERR_LIMIT : FRAY_OK);
    }
    free(zeros);
    fray_buf_deinit(&bomb);
    fray_websocket_deflate_worker_deinit(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_and_answers_without_takeover),
        cmocka_unit_test(offers_and_answers_with_takeover_and_small_windows),
        cmocka_unit_test(client_judges_the_answer),
        cmocka_unit_test(every_negotiated_variant_round_trips_both_ways),
        cmocka_unit_test(short_messages_and_those_that_do_not_shrink_go_as_they_are),
        cmocka_unit_test(examples_of_rfc7692_section_7_2_3),
        cmocka_unit_test(without_takeover_nothing_is_remembered),
        cmocka_unit_test(broken_messages_have_their_codes),
        cmocka_unit_test(a_bomb_stops_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
