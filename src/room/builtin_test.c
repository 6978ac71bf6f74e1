/* Chat, joining by the client's wish, and who a socket is. */
#include "room/builtin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "room/room_fake.h"

static struct fake_house house;
static struct fake_client clients[3];
static enum fray_verdict verdict;
static const char *last_name, *identity_error;
static char last_sub[32];

static enum fray_verdict on_join(fray_socket *socket, const char *room, void *app)
{
    (void)socket, (void)app;
    return strcmp(room, "secret") == 0 ? FRAY_REJECT : verdict;
}

static void on_connect(fray_socket *socket, void *app)
{
    (void)app;
    last_name = fray_socket_name(socket);
    const json_t *claims = fray_socket_identity(socket);
    snprintf(last_sub, sizeof last_sub, "%s",
             claims ? json_string_value(json_object_get(claims, "sub")) : "(guest)");
}

static int64_t unix_ms(void)
{
    return 1234;
}

static enum fray_err identify(void *context, const json_t *auth,
                              const struct fray_handshake *handshake,
                              struct fray_identified *identified)
{
    (void)context, (void)handshake;
    if (json_object_get(auth, "token")) {
        identified->claims =
            json_pack("{s:s, s:O?}", "sub", "ann-7", "name", json_object_get(auth, "claimed"));
        return FRAY_OK;
    }
    identified->reason = identity_error;
    return FRAY_ERR_DENIED;
}

static void open_house(struct fray_app *app, bool wants_tokens)
{
    static const struct fray_namespace_options options = {.max_rooms_per_socket = 3,
                                                          .chat_history = 3,
                                                          .chat_max_length = 10,
                                                          .chat_rate = 20,
                                                          .unix_ms = unix_ms};
    struct fray_namespace_options own = options;
    own.identify = wants_tokens ? identify : NULL;
    app->on_connect = on_connect;
    verdict = FRAY_ACCEPT;
    fake_house_init(&house, app, &own);
    for (unsigned i = 0; i < 3; i++)
        fake_client_open(&clients[i], &house.workers[i % 2]);
}

static void close_house(void)
{
    for (unsigned i = 0; i < 3; i++)
        fake_client_deinit(&clients[i]);
    fake_house_deinit(&house);
}

static const char *heard(unsigned i)
{
    fake_house_settle(&house);
    return fake_link_text(&clients[i].link);
}

static void enter(unsigned i, const char *auth)
{
    fake_client_connect(&clients[i], house.nsp, auth, NULL, NULL);
    fake_house_settle(&house);
}

static void send(unsigned i, const char *name, const char *args, int64_t ack_id)
{
    fake_client_send(&clients[i], name, args, ack_id);
    fake_house_settle(&house);
}

static void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not hold \"%s\"", text, part);
}

/* ------------------------------------------------------------------ joining */

static void clients_join_where_the_app_allows_it(void **state)
{
    (void)state;
    struct fray_app app = {.on_join = on_join};
    open_house(&app, false);
    enter(0, NULL);
    send(0, "join", "\"lobby\"", 1);
    assert_string_equal(heard(0), "ack 1({\"room\":\"lobby\",\"members\":1})\n");
    send(0, "join", "{\"room\":\"two\"}", 2);
    assert_string_equal(heard(0), "ack 2({\"room\":\"two\",\"members\":1})\n");
    fray_emit_to(house.nsp, "lobby", "e", "i", 1);
    assert_string_equal(heard(0), "e(1)\n");
    send(0, "leave", "\"lobby\"", 3);
    assert_string_equal(heard(0), "ack 3({\"room\":\"lobby\"})\n");
    fray_emit_to(house.nsp, "lobby", "e", "i", 1);
    assert_string_equal(heard(0), "");
    send(0, "join", "\"secret\"", 4);
    assert_holds(heard(0), "error({\"code\":\"denied\",\"event\":\"join\"");
    static const char *const bad[] = {"", "7", "\"\"", "{}", "\"a\\u0000b\"", "[\"a\"]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        send(0, "join", bad[i], 5);
        assert_holds(heard(0), "\"wrong_shape\"");
    }
    send(0, "join", "\"three\"", FRAY_ACK_NONE);
    send(0, "join", "\"four\"", FRAY_ACK_NONE);
    assert_string_equal(heard(0), "");
    send(0, "join", "\"five\"", FRAY_ACK_NONE);
    assert_holds(heard(0), "\"too_many_rooms\"");
    close_house();
}

static void without_on_join_there_is_no_joining(void **state)
{
    (void)state;
    struct fray_app app = {.chat = true};
    open_house(&app, false);
    enter(0, NULL);
    send(0, "join", "\"lobby\"", 1);
    assert_string_equal(heard(0), "");
    assert_int_equal(fray_room_size(house.nsp, "lobby"), 0);
    close_house();
}

/* ------------------------------------------------------------------ chat */

static void B16_chat_reaches_the_room_with_its_sender(void **state)
{
    (void)state;
    struct fray_app app = {.chat = true, .on_join = on_join};
    open_house(&app, false);
    enter(0, "{\"name\":\"Ann\"}"), enter(1, "{\"name\":\"Bob\"}"), enter(2, NULL);
    send(0, "join", "\"r\"", FRAY_ACK_NONE), send(1, "join", "\"r\"", FRAY_ACK_NONE);
    send(0, "chat_message", "{\"room\":\"r\",\"text\":\" hi\\u202e \"}", 9);
    char want[200];
    snprintf(want, sizeof want,
             "chat_message({\"number\":1,\"room\":\"r\",\"from\":{\"id\":\"%s\",\"name\":\"Ann\"},"
             "\"text\":\"hi\",\"at\":1234})\n",
             clients[0].id);
    assert_string_equal(heard(1), want);
    assert_holds(heard(0), "ack 9({\"number\":1,\"at\":1234})\n");
    assert_string_equal(heard(2), ""); /* not in the room */
    send(2, "chat_message", "\"all\"", FRAY_ACK_NONE);
    for (unsigned i = 0; i < 3; i++)
        assert_holds(heard(i), "\"text\":\"all\"");
    close_house();
}

static void B16_the_last_are_replayed_to_who_joins(void **state)
{
    (void)state;
    struct fray_app app = {.chat = true, .on_join = on_join};
    open_house(&app, false);
    enter(0, NULL);
    send(0, "chat_message", "\"hall\"", FRAY_ACK_NONE);
    send(0, "join", "\"r\"", FRAY_ACK_NONE);
    static const char *const lines[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < 5; i++) {
        char args[64];
        snprintf(args, sizeof args, "{\"room\":\"r\",\"text\":\"%s\"}", lines[i]);
        send(0, "chat_message", args, FRAY_ACK_NONE);
    }
    for (unsigned i = 1; i < 3; i++) {
        enter(i, NULL);
        assert_holds(heard(i), "\"text\":\"hall\"");
        send(i, "join", "\"r\"", 4);
        const char *text = heard(i);
        assert_null(strstr(text, "\"text\":\"b\""));
        const char *c = strstr(text, "\"text\":\"c\""), *e = strstr(text, "\"text\":\"e\"");
        assert_true(c && e && c < e);
        assert_true(e < strstr(text, "ack 4")); /* before the answer */
    }
    /* A room that everybody left is forgotten, and what was said in it. */
    for (unsigned i = 0; i < 3; i++)
        send(i, "leave", "\"r\"", FRAY_ACK_NONE), heard(i);
    send(0, "join", "\"r\"", 5);
    assert_string_equal(heard(0), "ack 5({\"room\":\"r\",\"members\":1})\n");
    close_house();
}

static void B16_bad_lines_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *args, *code;
    } cases[] = {
        {"", "wrong_shape"},
        {"7", "wrong_shape"},
        {"{\"text\":7}", "wrong_shape"},
        {"{\"room\":7,\"text\":\"a\"}", "wrong_shape"},
        {"\"\"", "empty"},
        {"\" \\u0007\\n\"", "empty"},
        {"\"01234567890\"", "too_long"},
        {"{\"room\":\"r\",\"text\":\"a\"}", "not_in_room"},
    };
    struct fray_app app = {.chat = true, .on_join = on_join};
    open_house(&app, false);
    enter(0, NULL), enter(1, NULL);
    send(1, "join", "\"r\"", FRAY_ACK_NONE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        send(0, "chat_message", cases[i].args, FRAY_ACK_NONE);
        assert_holds(heard(0), cases[i].code);
    }
    assert_string_equal(heard(1), "");
    close_house();
}

static void B16_who_says_too_much_waits(void **state)
{
    (void)state;
    struct fray_app app = {.chat = true};
    open_house(&app, false);
    enter(0, NULL);
    for (int i = 0; i < 20; i++)
        send(0, "chat_message", "\"a\"", FRAY_ACK_NONE);
    assert_null(strstr(heard(0), "rate_limited"));
    send(0, "chat_message", "\"a\"", FRAY_ACK_NONE);
    assert_holds(heard(0), "rate_limited");
    fake_house_advance(&house, 1000);
    send(0, "chat_message", "\"a\"", FRAY_ACK_NONE);
    send(0, "chat_message", "\"a\"", FRAY_ACK_NONE);
    assert_null(strstr(heard(0), "rate_limited"));
    send(0, "chat_message", "\"a\"", FRAY_ACK_NONE);
    assert_holds(heard(0), "rate_limited");
    close_house();
}

/* ------------------------------------------------------------------ identity */

static void B31_guests_by_default(void **state)
{
    (void)state;
    struct fray_app app = {0};
    open_house(&app, false);
    enter(0, "{\"name\":\"  Zo\\u00eb\\u202e \\n X\",\"token\":\"unread\"}");
    assert_string_equal(last_name, "Zoë X");
    assert_string_equal(last_sub, "(guest)");
    enter(1, "{\"name\":\"\\u0007\"}");
    assert_memory_equal(last_name, "guest-", 6);
    enter(2, NULL);
    assert_memory_equal(last_name, "guest-", 6);
    close_house();
}

static void B31_a_token_is_asked_for(void **state)
{
    (void)state;
    struct fray_app app = {0};
    open_house(&app, true);
    identity_error = "A token is needed.";
    enter(0, NULL);
    assert_int_equal(clients[0].rejected, 1);
    assert_string_equal(
        clients[0].error,
        "{\"message\":\"A token is needed.\",\"data\":{\"code\":\"unauthorized\"}}");
    enter(1, "{\"token\":\"x\",\"claimed\":\"Ann\",\"name\":\"Root\"}");
    assert_int_equal(clients[1].accepted, 1);
    assert_string_equal(last_name, "Ann"); /* not what it calls itself */
    assert_string_equal(last_sub, "ann-7");
    enter(2, "{\"token\":\"x\",\"name\":\"Root\"}");
    assert_string_equal(last_name, "ann-7");
    close_house();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_join_where_the_app_allows_it),
        cmocka_unit_test(without_on_join_there_is_no_joining),
        cmocka_unit_test(B16_chat_reaches_the_room_with_its_sender),
        cmocka_unit_test(B16_the_last_are_replayed_to_who_joins),
        cmocka_unit_test(B16_bad_lines_are_refused),
        cmocka_unit_test(B16_who_says_too_much_waits),
        cmocka_unit_test(B31_guests_by_default),
        cmocka_unit_test(B31_a_token_is_asked_for),
    };
    return cmocka_run_group_tests_name("builtin", tests, NULL, NULL);
}
