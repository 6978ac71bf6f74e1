#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "session/session_fake.h"

/* ------------------------------------------------------------------ a protocol that says what it
 * heard */

struct plain {
    struct fray_session session; /* first */
    unsigned drained, closed, ended;
    enum fray_disconnect reason;
    bool closes_when_drained;
    const char *sends_when_drained; /* each time */
    struct plain *closes_too;       /* from within on_close */
};

static struct plain *plain_of(struct fray_session *session)
{
    return (struct plain *)session;
}

static const struct fray_encoding *encode(struct fray_worker *worker, struct fray_message *message,
                                          enum fray_framing framing)
{
    (void)worker, (void)framing;
    const struct fray_encoding *known = fray_message_encoding(message, FRAY_FORM_BARE_WEBSOCKET);
    return known ? known : fray_message_encode(message, FRAY_FORM_BARE_WEBSOCKET, message->body);
}

static void on_frame(struct fray_session *session, struct fray_link *link, struct fray_slice frame,
                     bool is_binary)
{
    (void)session, (void)link, (void)frame, (void)is_binary;
}

static void on_link_end(struct fray_session *session, struct fray_link *link,
                        enum fray_disconnect reason)
{
    (void)link;
    plain_of(session)->ended++;
    fray_session_close(session, reason);
}

static enum fray_send_result send_as(struct plain *plain, const char *body, enum fray_class class)
{
    struct fray_message *message = fray_message_of(FRAY_MESSAGE_BARE_TEXT, fray_slice_of(body));
    fray_message_class(message, class, "key");
    enum fray_send_result result = fray_session_send(&plain->session, message);
    fray_message_unref(message);
    return result;
}

static enum fray_send_result send(struct plain *plain, const char *body)
{
    return send_as(plain, body, FRAY_RELIABLE);
}

static void on_drained(struct fray_session *session)
{
    struct plain *plain = plain_of(session);
    plain->drained++;
    if (plain->sends_when_drained)
        send(plain, plain->sends_when_drained);
    if (plain->closes_when_drained)
        fray_session_close(session, FRAY_SERVER_DISCONNECTED);
}

static void on_close(struct fray_session *session, enum fray_disconnect reason)
{
    struct plain *plain = plain_of(session);
    plain->closed++;
    plain->reason = reason;
    fray_session_close(session, FRAY_PARSE_ERROR); /* twice is fine */
    assert_int_equal(send(plain, "too late"), FRAY_DROPPED);
    if (plain->closes_too)
        fray_session_close(&plain->closes_too->session, reason);
}

static const struct fray_protocol protocol = {
    .name = "plain",
    .encode = encode,
    .on_frame = on_frame,
    .on_link_end = on_link_end,
    .on_drained = on_drained,
    .on_close = on_close,
};

/* ------------------------------------------------------------------ a worker, a link, a session */

struct fixture {
    struct fake_worker worker;
    struct fake_link link;
    struct plain *plain;
};

static struct plain *open_plain(struct fake_worker *worker, struct fake_link *link)
{
    struct plain *plain = fray_session_open(&protocol, &worker->base, sizeof *plain);
    if (link)
        fray_session_attach(&plain->session, &link->link);
    return plain;
}

static void open_fixture(struct fixture *f)
{
    fake_worker_init(&f->worker, 0);
    fake_link_init(&f->link, FRAY_FRAMING_WEBSOCKET);
    f->plain = open_plain(&f->worker, &f->link);
    fake_worker_turn(&f->worker);
}

static void close_fixture(struct fixture *f)
{
    fake_worker_deinit(&f->worker);
    fake_link_deinit(&f->link);
}

/* ------------------------------------------------------------------ sending */

static void writes_once_at_the_end_of_the_turn(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    unsigned flushes = f.link.flushes;
    assert_int_equal(send(f.plain, "a"), FRAY_SENT);
    assert_int_equal(send(f.plain, "b"), FRAY_SENT);
    assert_string_equal(fake_link_text(&f.link), "");
    fake_worker_turn(&f.worker);
    assert_string_equal(fake_link_text(&f.link), "ab");
    assert_int_equal(f.link.flushes, flushes + 1);
    fake_worker_turn(&f.worker);
    assert_int_equal(f.link.flushes, flushes + 1);
    assert_int_equal(f.plain->drained, 0); /* nothing had to wait */
    fray_session_close(&f.plain->session, FRAY_TRANSPORT_CLOSE);
    close_fixture(&f);
}

static void queued_without_a_mark_goes_with_the_next(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    struct fray_message *message = fray_message_of(FRAY_MESSAGE_BARE_TEXT, FRAY_SLICE("a"));
    assert_int_equal(fray_session_queue(&f.plain->session, message), FRAY_SENT);
    fake_worker_turn(&f.worker);
    assert_string_equal(fake_link_text(&f.link), "");
    fray_session_send_take(&f.plain->session, message);
    fake_worker_turn(&f.worker);
    assert_string_equal(fake_link_text(&f.link), "aa");
    fray_session_close(&f.plain->session, FRAY_TRANSPORT_CLOSE);
    close_fixture(&f);
}

static void waits_while_blocked_and_drains_once(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.link.room = 3;
    assert_int_equal(send(f.plain, "ab"), FRAY_SENT);
    assert_int_equal(send(f.plain, "cd"), FRAY_SENT);
    fake_worker_turn(&f.worker);
    assert_int_equal(f.plain->session.outbox.head_sent, 1);
    assert_int_equal(send(f.plain, "ef"), FRAY_QUEUED);
    assert_int_equal(send_as(f.plain, "t", FRAY_TRANSIENT), FRAY_DROPPED);
    assert_int_equal(f.worker.base.counters.dropped_transient, 1);
    fake_worker_turn(&f.worker);
    assert_int_equal(f.plain->drained, 0);
    fake_link_open_up(&f.link, 2);
    fake_worker_turn(&f.worker);
    assert_int_equal(f.plain->drained, 0); /* "f" is still owed */
    fake_link_open_up(&f.link, SIZE_MAX);
    fake_worker_turn(&f.worker);
    assert_string_equal(fake_link_text(&f.link), "abcdef");
    assert_int_equal(f.plain->drained, 1);
    fake_link_open_up(&f.link, SIZE_MAX);
    fake_worker_turn(&f.worker);
    assert_int_equal(f.plain->drained, 1);
    assert_int_equal(send_as(f.plain, "t", FRAY_TRANSIENT), FRAY_SENT);
    fray_session_close(&f.plain->session, FRAY_TRANSPORT_CLOSE);
    close_fixture(&f);
}

/* A drop alone is drained when the link takes something again, not before. */
static void a_dropped_transient_drains_when_writable(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.link.link.is_writable = false;
    assert_int_equal(send_as(f.plain, "t", FRAY_TRANSIENT), FRAY_DROPPED);
    fray_session_mark(&f.plain->session);
    fake_worker_turn(&f.worker);
    assert_int_equal(f.plain->drained, 0);
    fake_link_open_up(&f.link, SIZE_MAX);
    fake_worker_turn(&f.worker);
    assert_int_equal(f.plain->drained, 1);
    assert_string_equal(fake_link_text(&f.link), "");
    fray_session_close(&f.plain->session, FRAY_TRANSPORT_CLOSE);
    close_fixture(&f);
}

static void without_a_link_it_waits(void **state)
{
    (void)state;
    struct fixture f;
    fake_worker_init(&f.worker, 0);
    fake_link_init(&f.link, FRAY_FRAMING_WEBSOCKET);
    f.plain = open_plain(&f.worker, NULL);
    assert_int_equal(send(f.plain, "a"), FRAY_QUEUED);
    assert_int_equal(send_as(f.plain, "t", FRAY_TRANSIENT), FRAY_DROPPED);
    fake_worker_turn(&f.worker);
    fray_session_attach(&f.plain->session, &f.link.link);
    fake_worker_turn(&f.worker);
    assert_string_equal(fake_link_text(&f.link), "a");
    assert_int_equal(f.plain->drained, 1);
    fray_session_close(&f.plain->session, FRAY_TRANSPORT_CLOSE);
    close_fixture(&f);
}

static void another_link_sends_what_is_left_from_its_beginning(void **state)
{
    (void)state;
    struct fixture f;
    struct fake_link other;
    open_fixture(&f);
    fake_link_init(&other, FRAY_FRAMING_WEBSOCKET);
    f.link.room = 3;
    send(f.plain, "ab");
    send(f.plain, "cd");
    fake_worker_turn(&f.worker);
    fray_session_attach(&f.plain->session, &other.link);
    fray_session_attach(&f.plain->session, &other.link); /* already is */
    assert_int_equal(f.link.retires, 1);
    assert_int_equal(f.link.closes, 0);
    fake_worker_turn(&f.worker);
    assert_string_equal(fake_link_text(&other), "cd");
    fray_link_end(&f.link.link, FRAY_TRANSPORT_CLOSE); /* the retired one is nobody's */
    assert_int_equal(f.plain->ended, 0);
    fray_session_close(&f.plain->session, FRAY_TRANSPORT_CLOSE);
    assert_int_equal(other.closes, 1);
    close_fixture(&f);
    fake_link_deinit(&other);
}

static void a_drained_handler_may_send_and_close(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.link.link.is_writable = false;
    send(f.plain, "a");
    f.plain->sends_when_drained = "b";
    f.plain->closes_when_drained = true;
    fake_link_open_up(&f.link, SIZE_MAX);
    fray_worker_flush(&f.worker.base);
    assert_int_equal(f.plain->drained, 1);
    assert_int_equal(f.plain->closed, 1);
    assert_string_equal(fake_link_text(&f.link),
                        "ab"); /* in the same turn: the list of the dirty grew */
    assert_int_equal(f.link.closes, 1);
    close_fixture(&f);
}

/* ------------------------------------------------------------------ too slow, too fast */

static void a_reader_too_slow_is_closed_at_the_end_of_the_turn(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.link.link.is_writable = false;
    for (int i = 0; i < 64; i++)
        assert_int_equal(send(f.plain, "a"), FRAY_QUEUED);
    assert_int_equal(send(f.plain, "a"), FRAY_DROPPED);
    assert_int_equal(f.plain->closed, 0);
    assert_int_equal(send_as(f.plain, "b", FRAY_LATEST), FRAY_DROPPED);
    fray_worker_flush(&f.worker.base);
    assert_int_equal(f.plain->closed, 1);
    assert_int_equal(f.plain->reason, FRAY_SLOW_READER);
    assert_int_equal(f.link.reason, FRAY_SLOW_READER);
    assert_int_equal(f.worker.base.counters.closed_slow, 1);
    assert_int_equal(f.worker.base.counters.sessions_closed, 1);
    close_fixture(&f);
}

static void latest_over_the_bound_is_dropped_and_closes_nobody(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.link.link.is_writable = false;
    for (int i = 0; i < 64; i++)
        send(f.plain, "a");
    assert_int_equal(send_as(f.plain, "b", FRAY_LATEST), FRAY_DROPPED);
    assert_int_equal(f.worker.base.counters.dropped_latest, 1);
    fake_worker_turn(&f.worker);
    assert_int_equal(f.plain->closed, 0);
    fake_link_open_up(&f.link, SIZE_MAX);
    fake_worker_turn(&f.worker);
    assert_int_equal(f.plain->drained, 1);
    fray_session_close(&f.plain->session, FRAY_TRANSPORT_CLOSE);
    close_fixture(&f);
}

static void flooding_closes(void **state)
{
    (void)state;
    struct fixture f;
    fake_worker_init(&f.worker, 0);
    f.worker.base.messages_per_second = 3;
    f.worker.base.messages_burst = 2;
    fake_link_init(&f.link, FRAY_FRAMING_WEBSOCKET);
    f.plain = open_plain(&f.worker, &f.link);
    for (int i = 0; i < 5; i++)
        assert_true(fray_session_admits(&f.plain->session));
    fake_worker_advance(&f.worker, 1000);
    for (int i = 0; i < 3; i++)
        assert_true(fray_session_admits(&f.plain->session));
    fake_worker_advance(&f.worker, 1000000); /* idle time is not saved up beyond the burst */
    for (int i = 0; i < 5; i++)
        assert_true(fray_session_admits(&f.plain->session));
    assert_int_equal(f.plain->closed, 0);
    assert_false(fray_session_admits(&f.plain->session));
    assert_int_equal(f.plain->reason, FRAY_FLOODING);
    assert_int_equal(f.worker.base.counters.closed_flooding, 1);
    close_fixture(&f);
}

/* ------------------------------------------------------------------ ending */

static void a_polite_close_sends_what_was_sent_before(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    send(f.plain, "bye");
    fray_session_close(&f.plain->session, FRAY_SERVER_DISCONNECTED);
    assert_int_equal(f.plain->closed, 1);
    assert_int_equal(f.link.closes, 0);
    assert_int_equal(send(f.plain, "more"), FRAY_DROPPED);
    assert_false(fray_session_admits(&f.plain->session));
    fray_worker_flush(&f.worker.base);
    assert_string_equal(fake_link_text(&f.link), "bye");
    assert_int_equal(f.link.closes, 1);
    assert_int_equal(f.link.reason, FRAY_SERVER_DISCONNECTED);
    assert_int_equal(f.plain->closed, 1);
    close_fixture(&f);
}

static void a_link_with_bytes_of_its_own_lingers_too(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.link.link.has_own_bytes = true; /* such as the reply to a handshake */
    unsigned flushes = f.link.flushes;
    fray_session_close(&f.plain->session, FRAY_SERVER_DISCONNECTED);
    assert_int_equal(f.link.closes, 0);
    fake_worker_turn(&f.worker);
    assert_int_equal(f.link.flushes, flushes + 1);
    assert_int_equal(f.link.closes, 1);
    close_fixture(&f);
}

static void lingers_no_longer_than_linger_ms(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.link.link.is_writable = false;
    send(f.plain, "bye");
    fray_session_close(&f.plain->session, FRAY_SERVER_SHUTDOWN);
    fake_worker_advance(&f.worker, 1999);
    assert_int_equal(f.link.closes, 0);
    fake_worker_advance(&f.worker, 1);
    assert_int_equal(f.link.closes, 1);
    assert_string_equal(fake_link_text(&f.link), "");
    assert_int_equal(f.worker.base.sessions.count, 0);
    close_fixture(&f);
}

static void an_abandoned_session_ends_though_it_lingers(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.link.link.is_writable = false;
    send(f.plain, "bye");
    fray_session_close(&f.plain->session, FRAY_SERVER_SHUTDOWN);
    assert_int_equal(f.link.closes, 0);
    fray_session_abandon(&f.plain->session, FRAY_SERVER_SHUTDOWN);
    assert_int_equal(f.link.closes, 1);
    assert_int_equal(f.worker.base.sessions.count, 0);
    close_fixture(&f);
}

static void other_closes_do_not_linger(void **state)
{
    (void)state;
    static const enum fray_disconnect reasons[] = {FRAY_PARSE_ERROR, FRAY_PING_TIMEOUT,
                                                   FRAY_TRANSPORT_ERROR, FRAY_SLOW_READER};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        struct fixture f;
        open_fixture(&f);
        send(f.plain, "a");
        fray_session_close(&f.plain->session, reasons[i]);
        assert_int_equal(f.link.closes, 1);
        assert_int_equal(f.link.reason, reasons[i]);
        close_fixture(&f);
    }
}

static void a_link_that_ends_while_closing_ends_the_session(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.link.link.is_writable = false;
    send(f.plain, "bye");
    fray_session_close(&f.plain->session, FRAY_SERVER_DISCONNECTED);
    fray_link_end(&f.link.link, FRAY_TRANSPORT_CLOSE);
    assert_int_equal(f.plain->ended, 0); /* the protocol heard its last already */
    assert_int_equal(f.plain->closed, 1);
    assert_int_equal(f.link.closes, 0);
    assert_int_equal(f.worker.base.sessions.count, 0);
    fray_link_end(&f.link.link, FRAY_TRANSPORT_CLOSE);
    close_fixture(&f);
}

static void a_link_that_ends_is_told_to_the_protocol(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    send(f.plain, "lost");
    fray_link_end(&f.link.link, FRAY_TRANSPORT_ERROR);
    assert_int_equal(f.plain->ended, 1);
    assert_int_equal(f.plain->closed, 1);
    assert_int_equal(f.plain->reason, FRAY_TRANSPORT_ERROR);
    assert_int_equal(f.link.closes, 0);
    close_fixture(&f);
}

static void a_close_may_close_others(void **state)
{
    (void)state;
    struct fixture f;
    struct fake_link other;
    open_fixture(&f);
    fake_link_init(&other, FRAY_FRAMING_WEBSOCKET);
    struct plain *second = open_plain(&f.worker, &other);
    f.plain->closes_too = second;
    second->closes_too = f.plain;
    send(second, "x");
    f.link.link.is_writable = false;
    for (int i = 0; i < 65; i++)
        send(f.plain, "a"); /* overrun: closed from the flush, where the second is still to come */
    fray_worker_flush(&f.worker.base);
    assert_int_equal(f.plain->closed, 1);
    assert_int_equal(second->closed, 1);
    close_fixture(&f);
    fake_link_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_once_at_the_end_of_the_turn),
        cmocka_unit_test(queued_without_a_mark_goes_with_the_next),
        cmocka_unit_test(waits_while_blocked_and_drains_once),
        cmocka_unit_test(a_dropped_transient_drains_when_writable),
        cmocka_unit_test(without_a_link_it_waits),
        cmocka_unit_test(another_link_sends_what_is_left_from_its_beginning),
        cmocka_unit_test(a_drained_handler_may_send_and_close),
        cmocka_unit_test(a_reader_too_slow_is_closed_at_the_end_of_the_turn),
        cmocka_unit_test(latest_over_the_bound_is_dropped_and_closes_nobody),
        cmocka_unit_test(flooding_closes),
        cmocka_unit_test(a_polite_close_sends_what_was_sent_before),
        cmocka_unit_test(a_link_with_bytes_of_its_own_lingers_too),
        cmocka_unit_test(lingers_no_longer_than_linger_ms),
        cmocka_unit_test(an_abandoned_session_ends_though_it_lingers),
        cmocka_unit_test(other_closes_do_not_linger),
        cmocka_unit_test(a_link_that_ends_while_closing_ends_the_session),
        cmocka_unit_test(a_link_that_ends_is_told_to_the_protocol),
        cmocka_unit_test(a_close_may_close_others),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
