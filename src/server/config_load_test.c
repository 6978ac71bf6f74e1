#include "server/config_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

enum { ARGUMENTS_MAX = 8 };

struct load {
    struct fray_config config;
    struct fray_buf text;
    enum fray_config_action action;
    enum fray_err err;
    char file[32];
    const char *arguments[ARGUMENTS_MAX];
    const char *environment[ARGUMENTS_MAX];
};

static int set_up(void **state)
{
    struct load *load = fray_alloc_zero(sizeof *load);
    fray_config_init_default(&load->config);
    *state = load;
    return 0;
}

static int tear_down(void **state)
{
    struct load *load = *state;
    if (load->file[0])
        unlink(load->file);
    fray_config_deinit(&load->config);
    fray_buf_deinit(&load->text);
    free(load);
    return 0;
}

static void write_file(struct load *load, const char *content)
{
    snprintf(load->file, sizeof load->file, "/tmp/fray_config_XXXXXX");
    int fd = mkstemp(load->file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
}

static void run(struct load *load)
{
    int argc = 1;
    load->arguments[0] = "fray";
    while (argc < ARGUMENTS_MAX && load->arguments[argc])
        argc++;
    fray_config_deinit(&load->config);
    fray_config_init_default(&load->config);
    load->text.len = 0;
    load->err = fray_config_load(&load->config, argc, (char *const *)load->arguments,
                                 (char *const *)load->environment, &load->action, &load->text);
    fray_buf_append_byte(&load->text, '\0');
}

#define ARGUMENTS(load, ...)                                                                       \
    memcpy((load)->arguments + 1, (const char * [ARGUMENTS_MAX - 1]){__VA_ARGS__},                 \
           sizeof(const char * [ARGUMENTS_MAX - 1]))
#define ENVIRONMENT(load, ...)                                                                     \
    memcpy((load)->environment, (const char *[ARGUMENTS_MAX]){__VA_ARGS__},                        \
           sizeof(load)->environment)

#define REFUSED(load, sentence)                                                                    \
    do {                                                                                           \
        run(load);                                                                                 \
        assert_int_equal((load)->err, FRAY_ERR_CONFIG);                                            \
        assert_string_equal((load)->text.data, sentence);                                          \
    } while (0)

static void nothing_given_serves_with_defaults(void **state)
{
    struct load *load = *state;
    run(load);
    assert_int_equal(load->err, FRAY_OK);
    assert_int_equal(load->action, FRAY_CONFIG_SERVE);
    assert_string_equal(load->text.data, "");
    assert_string_equal(load->config.listen.items[0], "127.0.0.1:8080");
}

static void flag_over_environment_over_file_over_default(void **state)
{
    struct load *load = *state;
    write_file(load, "[engineio]\nping_interval_ms = 1000 ; comment\nping_timeout_ms = 2s\n"
                     "upgrade-timeout-ms = 3000\n");
    ENVIRONMENT(load, "FRAY_PING_INTERVAL_MS=1100", "FRAY_PING_TIMEOUT_MS=2200", "FRAY_PING=1",
                "PING_TIMEOUT_MS=1");
    ARGUMENTS(load, "--config", load->file, "--ping-interval-ms=1110");
    run(load);
    assert_string_equal(load->text.data, "");
    assert_int_equal(load->config.ping_interval_ms, 1110);
    assert_int_equal(load->config.ping_timeout_ms, 2200);
    assert_int_equal(load->config.upgrade_timeout_ms, 3000);
    assert_int_equal(load->config.connect_timeout_ms, 45000);
}

static void a_source_adds_to_its_lists_only(void **state)
{
    struct load *load = *state;
    write_file(load, "[server]\nlisten = 127.0.0.1:1\nlisten = 127.0.0.1:2\n"
                     "[socketio]\ncors_origin = https://a.example,\n  https://b.example\n");
    ARGUMENTS(load, "--config", load->file, "--listen", ":3,:4", "--listen=[::]:5");
    run(load);
    assert_string_equal(load->text.data, "");
    assert_int_equal(load->config.listen.count, 3);
    assert_string_equal(load->config.listen.items[2], "[::]:5");
    assert_int_equal(load->config.cors_origin.count, 2);
    assert_string_equal(load->config.cors_origin.items[1], "https://b.example");
}

static void true_or_false_flags_need_no_value(void **state)
{
    struct load *load = *state;
    ARGUMENTS(load, "--per-message-deflate", "--no-serve-client", "--allow-upgrades=off");
    run(load);
    assert_int_equal(load->err, FRAY_OK);
    assert_true(load->config.per_message_deflate);
    assert_false(load->config.serve_client);
    assert_false(load->config.allow_upgrades);
    ARGUMENTS(load, "--per-message-deflate", "no", "--serve-client", "true", "--workers", "3");
    run(load);
    assert_int_equal(load->err, FRAY_OK);
    assert_false(load->config.per_message_deflate);
    assert_true(load->config.serve_client);
    assert_int_equal(load->config.workers, 3);
    ARGUMENTS(load, "--serve-client", "maybe");
    REFUSED(load, "--serve-client was given \"maybe\", allowed is true or false.");
    ARGUMENTS(load, "--no-serve-client", "true");
    REFUSED(load, "unexpected argument \"true\": options are written --name value; --help lists "
                  "all.");
}

static void wrong_flags_are_explained(void **state)
{
    struct load *load = *state;
    ARGUMENTS(load, "--ping-intervall-ms", "1");
    REFUSED(load, "unknown option --ping-intervall-ms; did you mean --ping-interval-ms?");
    ARGUMENTS(load, "--no-workers");
    REFUSED(load, "unknown option --no-workers; did you mean --workers?");
    ARGUMENTS(load, "--help=1");
    REFUSED(load, "unknown option --help; --help lists all.");
    ARGUMENTS(load, "8080");
    REFUSED(load, "unexpected argument \"8080\": options are written --name value; --help lists "
                  "all.");
    ARGUMENTS(load, "--");
    REFUSED(load, "unexpected argument \"--\": options are written --name value; --help lists "
                  "all.");
    ARGUMENTS(load, "--log_level");
    REFUSED(load, "--log_level was given no value, allowed is one of debug, info, warn, error.");
    ARGUMENTS(load, "--config");
    REFUSED(load, "--config was given no value, allowed is the name of an INI file.");
    ARGUMENTS(load, "--workers=many");
    REFUSED(load, "--workers was given \"many\", allowed is an integer from 0 to 256.");
    ARGUMENTS(load, "--listen=nowhere");
    REFUSED(load, "listen was given \"nowhere\", allowed is ADDRESS:PORT or [IPv6]:PORT.");
    ARGUMENTS(load, "--tls-cert=x");
    REFUSED(load, "tls_cert and tls_key go together: give both or neither.");
    ARGUMENTS(load, "--cors-origin=*", "--cors-credentials");
    REFUSED(load, "cors_credentials needs origins by name: browsers send no cookies where "
                  "cors_origin is *.");
}

static void wrong_environment_is_explained(void **state)
{
    struct load *load = *state;
    ENVIRONMENT(load, "FRAY_WORKERS=many");
    REFUSED(load, "FRAY_WORKERS was given \"many\", allowed is an integer from 0 to 256.");
}

static void strays_in_the_environment_are_found(void **state)
{
    (void)state;
    const char *variables[] = {"PATH=/bin",       "FRAY_WORKERS=2", "FRAY_WORKER=2",
                               "FRAY_CONFIG=a.b", "FRAYED=1",       NULL};
    char *const *environment = (char *const *)variables;
    size_t next = 0;
    struct fray_slice name = fray_config_stray_variable(environment, &next);
    assert_true(fray_slice_equal(name, FRAY_SLICE("FRAY_WORKER")));
    assert_int_equal(fray_config_stray_variable(environment, &next).len, 0);
}

#define REFUSED_FILE(load, content, format)                                                        \
    do {                                                                                           \
        char sentence[256];                                                                        \
        write_file(load, content);                                                                 \
        snprintf(sentence, sizeof sentence, format, (load)->file);                                 \
        ARGUMENTS(load, "--config", (load)->file);                                                 \
        REFUSED(load, sentence);                                                                   \
        unlink((load)->file);                                                                      \
    } while (0)

static void wrong_files_are_explained(void **state)
{
    struct load *load = *state;
    ENVIRONMENT(load, "FRAY_CONFIG=/nowhere/fray.ini");
    REFUSED(load, "--config was given \"/nowhere/fray.ini\", which cannot be read: No such file or "
                  "directory.");
    ARGUMENTS(load, "--config=/");
    REFUSED(load, "--config was given \"/\", which cannot be read: Is a directory.");
    REFUSED_FILE(load, "\n[server]\nworker = 1\nwrong too\n",
                 "%s line 3: unknown option worker; did you mean workers?");
    REFUSED_FILE(load, "workers = 1\n",
                 "%s line 1: workers was given in section [], allowed is [server].");
    REFUSED_FILE(load, "[server]\nworkers = x\n",
                 "%s line 2: workers was given \"x\", allowed is an integer from 0 to 256.");
    REFUSED_FILE(load, "[server]\nworkers\n", "%s line 2 is neither [section] nor name = value.");
    char longest[320] = "[server]\nlisten = ";
    memset(longest + strlen(longest), '1', 300);
    REFUSED_FILE(load, longest,
                 "%s line 2 is longer than 198 characters: give a list in several lines.");
}

static void prints_and_exits(void **state)
{
    struct load *load = *state;
    static const struct {
        const char *flag;
        const char *part;
    } cases[] = {
        {"--help", "\n[engineio]\n  --path TEXT\n"},
        {"-h", "--ping-interval-ms MS\n"},
        {"--help", "\n  --allow-upgrades, --no-allow-upgrades\n"},
        {"--version", "fray " FRAY_VERSION "\n"},
        {"--help-markdown", "| `ping_interval_ms` | `25000` | milliseconds from 100 to 3600000"},
        {"--print-config", "\n\n[engineio]\npath = /socket.io/\ntransports = polling,websocket\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ARGUMENTS(load, cases[i].flag);
        run(load);
        assert_int_equal(load->err, FRAY_OK);
        assert_int_equal(load->action, FRAY_CONFIG_PRINT);
        assert_non_null(strstr(load->text.data, cases[i].part));
    }
}

static void what_is_printed_can_be_read(void **state)
{
    struct load *load = *state;
    ARGUMENTS(load, "--print-config", "--workers", "7", "--listen=:1,:2");
    run(load);
    write_file(load, load->text.data);
    ARGUMENTS(load, "--config", load->file);
    run(load);
    assert_string_equal(load->text.data, "");
    assert_int_equal(load->config.workers, 7);
    assert_int_equal(load->config.listen.count, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_given_serves_with_defaults),
        CASE(flag_over_environment_over_file_over_default),
        CASE(a_source_adds_to_its_lists_only),
        CASE(true_or_false_flags_need_no_value),
        CASE(wrong_flags_are_explained),
        CASE(wrong_environment_is_explained),
        cmocka_unit_test(strays_in_the_environment_are_found),
        CASE(wrong_files_are_explained),
        CASE(prints_and_exits),
        CASE(what_is_printed_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
