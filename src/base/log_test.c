#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

__attribute__((format(printf, 5, 6))) static void
assert_line(const char *expected, enum fray_log_format format, enum fray_log_level level,
            const char *event, const char *pairs, ...)
{
    struct fray_buf line = {0};
    va_list args;
    va_start(args, pairs);
    fray_log_encode(&line, format, level, event, pairs, args);
    va_end(args);
    fray_buf_append_byte(&line, '\0');
    assert_string_equal(line.data, expected);
    fray_buf_deinit(&line);
}

static void encodes_text(void **state)
{
    (void)state;
    assert_line("info ready\n", FRAY_LOG_TEXT, FRAY_LOG_INFO, "ready", "");
    assert_line("warn slow_reader session=12 bytes=18446744073709551615 at=[::1]:80\n",
                FRAY_LOG_TEXT, FRAY_LOG_WARN, "slow_reader", "session=%d bytes=%zu at=[%s]:%u", 12,
                SIZE_MAX, "::1", 80U);
}

static void encodes_json(void **state)
{
    (void)state;
    assert_line("{\"level\":\"error\",\"event\":\"refused\",\"reason\":\"no \\\"room\\\"\","
                "\"count\":-3,\"code\":\"7\",\"text\":\"5\"}\n",
                FRAY_LOG_JSON, FRAY_LOG_ERROR, "refused", "reason=%s count=%ld code=%s text=%-1d",
                "no \"room\"", -3L, "7", 5);
}

static void value_cannot_forge_a_pair_or_line(void **state)
{
    (void)state;
    assert_line("info join name=\"a admin=1\\ninfo \\x1b[2J\\xc3\\xa9\\\\\\\"\" room=\"\" x=ok\n",
                FRAY_LOG_TEXT, FRAY_LOG_INFO, "join", "name=%s room=%s x=%s",
                "a admin=1\ninfo \033[2J\xc3\xa9\\\"", "", "ok");
    assert_line("{\"level\":\"info\",\"event\":\"join\",\"name\":\"\\\",\\\"admin\\\":\\\\x01\"}\n",
                FRAY_LOG_JSON, FRAY_LOG_INFO, "join", "name=%s", "\",\"admin\":\x01");
}

static void bounds_values_and_lines(void **state)
{
    (void)state;
    char *word = fray_alloc(FRAY_LOG_VALUE_MAX + 100);
    memset(word, 'w', FRAY_LOG_VALUE_MAX + 99);
    word[FRAY_LOG_VALUE_MAX + 99] = '\0';
    char expected[FRAY_LOG_VALUE_MAX + 32];
    snprintf(expected, sizeof expected, "info long a=%.*s b=1\n", FRAY_LOG_VALUE_MAX, word);
    assert_line(expected, FRAY_LOG_TEXT, FRAY_LOG_INFO, "long", "a=%s b=%d", word, 1);
    free(word);
}

__attribute__((format(printf, 3, 4))) static void
encode(struct fray_buf *line, enum fray_log_format format, const char *pairs, ...)
{
    va_list args;
    va_start(args, pairs);
    fray_log_encode(line, format, FRAY_LOG_INFO, "noise", pairs, args);
    va_end(args);
}

static void longest_line_fits_a_pipe(void **state)
{
    (void)state;
    char noise[2048];
    memset(noise, '\x01', sizeof noise - 1);
    noise[sizeof noise - 1] = '\0';
    for (int format = FRAY_LOG_TEXT; format <= FRAY_LOG_JSON; format++) {
        struct fray_buf line = {0};
        encode(&line, (enum fray_log_format)format, "a=%s b=%s c=%d", noise, noise, 1);
        assert_true(line.len <= FRAY_LOG_LINE_MAX);
        fray_buf_append_byte(&line, '\0');
        assert_non_null(
            strstr(line.data, format == FRAY_LOG_JSON ? ",\"truncated\":1}\n" : " truncated=1\n"));
        fray_buf_deinit(&line);
    }
}

/* Standard error into a pipe, while a test looks at what arrives. */
struct capture {
    int saved;
    int read_end;
};

static struct capture capture_start(void)
{
    int ends[2];
    assert_return_code(pipe(ends), errno);
    struct capture capture = {.saved = dup(STDERR_FILENO), .read_end = ends[0]};
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    return capture;
}

static struct fray_buf capture_finish(struct capture capture)
{
    dup2(capture.saved, STDERR_FILENO); /* closes the last write end */
    close(capture.saved);
    struct fray_buf text = {0};
    ssize_t count;
    while ((count = read(capture.read_end, fray_buf_reserve(&text, 4096), 4096)) > 0)
        text.len += (size_t)count;
    close(capture.read_end);
    fray_buf_append_byte(&text, '\0');
    return text;
}

static void filters_by_level_and_keeps_errno(void **state)
{
    (void)state;
    struct capture capture = capture_start();
    fray_log(FRAY_LOG_DEBUG, "hidden", "");
    errno = EDOM;
    fray_log(FRAY_LOG_INFO, "seen", "n=%d", 1);
    int kept = errno;
    fray_log_configure(FRAY_LOG_ERROR, FRAY_LOG_JSON);
    fray_log(FRAY_LOG_WARN, "hidden", "");
    fray_log(FRAY_LOG_ERROR, "seen", "n=%d", 2);
    bool warns = fray_log_enabled(FRAY_LOG_WARN);
    fray_log_configure(FRAY_LOG_INFO, FRAY_LOG_TEXT);
    struct fray_buf text = capture_finish(capture);
    assert_string_equal(text.data,
                        "info seen n=1\n{\"level\":\"error\",\"event\":\"seen\",\"n\":2}\n");
    assert_int_equal(kept, EDOM);
    assert_false(warns);
    fray_buf_deinit(&text);
}

enum { THREADS = 4, LINES = 100 }; /* less than a pipe holds */

static void *log_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        fray_log(FRAY_LOG_INFO, "threaded", "who=%s line=%d", (const char *)arg, i);
    return NULL;
}

static void lines_of_threads_stay_whole(void **state)
{
    (void)state;
    static char names[THREADS][8] = {"north", "east", "south", "west"};
    pthread_t threads[THREADS];
    struct capture capture = capture_start();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_lines, names[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    struct fray_buf text = capture_finish(capture);

    int next[THREADS] = {0};
    for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n")) {
        int who = 0;
        char expected[64];
        do {
            assert_true(who < THREADS);
            snprintf(expected, sizeof expected, "info threaded who=%s line=%d", names[who],
                     next[who]);
        } while (strcmp(line, expected) != 0 && ++who);
        next[who]++;
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(next[i], LINES);
    fray_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_text),
        cmocka_unit_test(encodes_json),
        cmocka_unit_test(value_cannot_forge_a_pair_or_line),
        cmocka_unit_test(bounds_values_and_lines),
        cmocka_unit_test(longest_line_fits_a_pipe),
        cmocka_unit_test(filters_by_level_and_keeps_errno),
        cmocka_unit_test(lines_of_threads_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
