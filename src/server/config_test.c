#include "server/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "server/config_text.h"

static void assert_text(struct fray_buf *text, const char *expected)
{
    fray_buf_append_byte(text, '\0');
    assert_string_equal(text->data, expected);
    text->len = 0;
}

static void set(struct fray_config *config, const char *name, const char *value)
{
    struct fray_buf error = {0};
    enum fray_err err = fray_config_set(config, fray_slice_of(name), fray_slice_of(value), &error);
    if (err)
        fail_msg("%.*s", (int)error.len, error.data);
    fray_buf_deinit(&error);
}

static void refuse(struct fray_config *config, const char *name, const char *value,
                   const char *sentence)
{
    struct fray_buf error = {0};
    assert_int_equal(fray_config_set(config, fray_slice_of(name), fray_slice_of(value), &error),
                     FRAY_ERR_CONFIG);
    assert_text(&error, sentence);
    fray_buf_deinit(&error);
}

static int set_up(void **state)
{
    struct fray_config *config = fray_alloc(sizeof *config);
    fray_config_init_default(config);
    *state = config;
    return 0;
}

static int tear_down(void **state)
{
    fray_config_deinit(*state);
    free(*state);
    return 0;
}

/* The figures that Socket.IO's clients and documentation name. */
static void defaults_are_those_of_socketio(void **state)
{
    const struct fray_config *config = *state;
    assert_int_equal(config->ping_interval_ms, 25000);
    assert_int_equal(config->ping_timeout_ms, 20000);
    assert_int_equal(config->upgrade_timeout_ms, 10000);
    assert_int_equal(config->connect_timeout_ms, 45000);
    assert_int_equal(config->max_http_buffer_size, 1000000);
    assert_string_equal(config->path, "/socket.io/");
    assert_true(config->serve_client);
    assert_true(config->allow_upgrades);
    assert_int_equal(config->transports, FRAY_CONFIG_POLLING | FRAY_CONFIG_WEBSOCKET);
    assert_int_equal(config->cors_origin.count, 0);
    assert_int_equal(config->recovery_max_disconnection_ms, 0);
}

static void names_are_unique_and_fit_their_section(void **state)
{
    (void)state;
    for (size_t i = 0; i < FRAY_OPTION_COUNT; i++) {
        assert_ptr_equal(fray_option_find(fray_slice_of(fray_options[i].name)), &fray_options[i]);
        bool section_ended = false;
        for (size_t j = i; j < FRAY_OPTION_COUNT; j++) {
            bool same = strcmp(fray_options[i].section, fray_options[j].section) == 0;
            assert_false(same && section_ended);
            section_ended = section_ended || !same;
        }
    }
}

static void every_value_survives_being_written_and_read(void **state)
{
    struct fray_config *config = *state;
    struct fray_buf text = {0}, again = {0};
    for (size_t i = 0; i < FRAY_OPTION_COUNT; i++) {
        const struct fray_option *option = &fray_options[i];
        fray_option_format(config, option, &text);
        struct fray_slice value = fray_slice(text.data, text.len);
        assert_int_equal(fray_option_set(config, option, value, &again), FRAY_OK);
        fray_option_format(config, option, &again);
        assert_int_equal(text.len, again.len);
        assert_true(text.len == 0 || memcmp(text.data, again.data, text.len) == 0);
        text.len = again.len = 0;
    }
    fray_buf_deinit(&text);
    fray_buf_deinit(&again);
}

static void numbers_have_units_and_ranges(void **state)
{
    struct fray_config *config = *state;
    set(config, "ping-interval-ms", "25s");
    assert_int_equal(config->ping_interval_ms, 25000);
    set(config, "ping_interval_ms", "1h");
    assert_int_equal(config->ping_interval_ms, 3600000);
    set(config, "ping_interval_ms", "150ms");
    assert_int_equal(config->ping_interval_ms, 150);
    set(config, "outbox_max_bytes", "1G");
    assert_int_equal(config->outbox_max_bytes, 1U << 30);
    set(config, "outbox_max_bytes", "64k");
    assert_int_equal(config->outbox_max_bytes, 65536);
    set(config, "workers", "256");

    const char *const wrong[] = {
        "", "-1", "+1", "257", "1.5", "1s", " 1", "0x10", "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char sentence[128];
        snprintf(sentence, sizeof sentence,
                 "workers was given \"%s\", allowed is an integer from 0 to 256.", wrong[i]);
        refuse(config, "workers", wrong[i], sentence);
    }
    const char *const overflows[] = {"61m", "2h", "18446744073709551616ms", "99ms"};
    for (size_t i = 0; i < sizeof overflows / sizeof overflows[0]; i++) {
        char sentence[256];
        snprintf(sentence, sizeof sentence,
                 "ping_interval_ms was given \"%s\", allowed is milliseconds from 100 to 3600000, "
                 "or a duration such as 500ms, 25s, 10m, 1h.",
                 overflows[i]);
        refuse(config, "ping_interval_ms", overflows[i], sentence);
    }
    assert_int_equal(config->workers, 256);
    assert_int_equal(config->ping_interval_ms, 150);
}

static void words_and_lists(void **state)
{
    struct fray_config *config = *state;
    set(config, "serve_client", "Off");
    assert_false(config->serve_client);
    refuse(config, "serve_client", "2", "serve_client was given \"2\", allowed is true or false.");
    set(config, "log_level", "error");
    assert_int_equal(config->log_level, 3);
    refuse(config, "log_level", "loud",
           "log_level was given \"loud\", allowed is one of debug, info, warn, error.");
    set(config, "transports", " websocket ");
    assert_int_equal(config->transports, FRAY_CONFIG_WEBSOCKET);
    refuse(config, "transports", "websocket,smoke",
           "transports was given \"websocket,smoke\", allowed is a list with commas of polling, "
           "websocket.");
    refuse(config, "transports", "",
           "transports was given \"\", allowed is a list with commas of polling, websocket.");
    set(config, "listen", "127.0.0.1:1, [::1]:2,");
    assert_int_equal(config->listen.count, 2);
    assert_string_equal(config->listen.items[1], "[::1]:2");
    set(config, "listen", "0.0.0.0:3");
    assert_int_equal(config->listen.count, 1);
    refuse(config, "path", "/a\nb",
           "path was given \"/a\nb\", allowed is a text without control characters.");
    assert_string_equal(config->path, "/socket.io/");
}

static void suggests_the_nearest_name(void **state)
{
    struct fray_config *config = *state;
    refuse(config, "ping_intervall_ms", "1",
           "unknown option ping_intervall_ms; did you mean ping_interval_ms?");
    refuse(config, "pingInterval", "1",
           "unknown option pingInterval; did you mean ping_interval_ms?");
    refuse(config, "worker", "1", "unknown option worker; did you mean workers?");
    refuse(config, "flux_capacitor", "1", "unknown option flux_capacitor; --help lists all.");
    refuse(config, "", "1", "unknown option ; --help lists all.");
    char longest[200];
    memset(longest, 'a', sizeof longest);
    assert_null(fray_option_nearest(fray_slice(longest, sizeof longest)));
}

static void checks_options_together(void **state)
{
    struct fray_config *config = *state;
    struct fray_buf error = {0};
    assert_int_equal(fray_config_check(config, &error), FRAY_OK);
    set(config, "tls_cert", "cert.pem");
    assert_int_equal(fray_config_check(config, &error), FRAY_ERR_CONFIG);
    assert_text(&error, "tls_cert and tls_key go together: give both or neither.");
    set(config, "tls_key", "key.pem");
    assert_int_equal(fray_config_check(config, &error), FRAY_OK);
    set(config, "tls_self_signed", "yes");
    assert_int_equal(fray_config_check(config, &error), FRAY_ERR_CONFIG);
    error.len = 0;
    set(config, "tls_self_signed", "no");
    set(config, "path", "socket.io");
    assert_int_equal(fray_config_check(config, &error), FRAY_ERR_CONFIG);
    error.len = 0;
    set(config, "path", "/");
    set(config, "listen", "");
    assert_int_equal(fray_config_check(config, &error), FRAY_ERR_CONFIG);
    fray_buf_deinit(&error);
}

/* Run from the source root, as ./check does. Mend with: fray --help-markdown > docs/config.md */
static void documentation_is_up_to_date(void **state)
{
    (void)state;
    struct fray_buf made = {0}, kept = {0};
    fray_config_help_markdown(&made);
    FILE *file = fopen("docs/config.md", "re");
    if (!file)
        fail_msg("docs/config.md is missing");
    kept.len = fread(fray_buf_reserve(&kept, made.len + 1), 1, made.len + 1, file);
    fclose(file);
    if (!fray_slice_equal(fray_buf_slice(&made), fray_buf_slice(&kept)))
        fail_msg("docs/config.md differs from: fray --help-markdown");
    fray_buf_deinit(&made);
    fray_buf_deinit(&kept);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(defaults_are_those_of_socketio),
        CASE(names_are_unique_and_fit_their_section),
        CASE(every_value_survives_being_written_and_read),
        CASE(numbers_have_units_and_ranges),
        CASE(words_and_lists),
        CASE(suggests_the_nearest_name),
        CASE(checks_options_together),
        CASE(documentation_is_up_to_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
