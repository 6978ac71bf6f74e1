#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static atomic_int log_level = FRAY_LOG_INFO;
static atomic_int log_format = FRAY_LOG_TEXT;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void fray_log_configure(enum fray_log_level level, enum fray_log_format format)
{
    atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
    atomic_store_explicit(&log_format, (int)format, memory_order_relaxed);
}

bool fray_log_enabled(enum fray_log_level level)
{
    return (int)level >= atomic_load_explicit(&log_level, memory_order_relaxed);
}

static bool is_plain(struct fray_slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return value.len > 0;
}

/* Both formats: \xNN would be no JSON, so there its backslash is escaped too. */
static void append_quoted(struct fray_buf *line, struct fray_slice value,
                          enum fray_log_format format)
{
    fray_buf_append_byte(line, '"');
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c == '"' || c == '\\')
            fray_buf_printf(line, "\\%c", c);
        else if (c == '\n')
            FRAY_BUF_LITERAL(line, "\\n");
        else if (c < ' ' || c > '~')
            fray_buf_printf(line, format == FRAY_LOG_JSON ? "\\\\x%02x" : "\\x%02x", c);
        else
            fray_buf_append_byte(line, c);
    }
    fray_buf_append_byte(line, '"');
}

/* `conversion` is what the format holds behind the key. */
static bool is_number(struct fray_slice conversion)
{
    if (conversion.len < 2 || conversion.data[0] != '%')
        return false;
    for (size_t i = 1; i + 1 < conversion.len; i++) {
        if (!strchr("lhjzt", conversion.data[i]))
            return false; /* padding, precision or text: no JSON number */
    }
    return strchr("diu", conversion.data[conversion.len - 1]) != NULL;
}

/* The length of what the first `format_len` bytes of `pairs` print. Formatting each prefix anew
 * tells where a value ends without looking for separators in it, and without a second printf. */
static size_t printed_len(const char *pairs, size_t format_len, va_list args)
{
    char *prefix = fray_strndup(pairs, format_len);
    va_list again;
    va_copy(again, args);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored                                                                     \
    "-Wformat-nonliteral" /* a prefix of a format checked by the caller */
    int len = vsnprintf(NULL, 0, prefix, again);
#pragma GCC diagnostic pop
    va_end(again);
    free(prefix);
    assert(len >= 0);
    return (size_t)len;
}

static void append_pair(struct fray_buf *line, enum fray_log_format format, struct fray_slice key,
                        struct fray_slice conversion, struct fray_slice value)
{
    if (value.len > FRAY_LOG_VALUE_MAX)
        value.len = FRAY_LOG_VALUE_MAX;
    if (format == FRAY_LOG_JSON) {
        FRAY_BUF_LITERAL(line, ",\"");
        fray_buf_append_slice(line, key);
        FRAY_BUF_LITERAL(line, "\":");
    } else {
        fray_buf_append_byte(line, ' ');
        fray_buf_append_slice(line, key);
        fray_buf_append_byte(line, '=');
    }
    if (format == FRAY_LOG_JSON ? is_number(conversion) : is_plain(value))
        fray_buf_append_slice(line, value);
    else
        append_quoted(line, value, format);
}

__attribute__((format(printf, 3, 0))) static void
append_pairs(struct fray_buf *line, enum fray_log_format format, const char *pairs, va_list args)
{
    struct fray_buf text = {0};
    va_list again;
    va_copy(again, args);
    fray_buf_vprintf(&text, pairs, again);
    va_end(again);

    static const char truncated[] = " truncated=1", truncated_json[] = ",\"truncated\":1";
    for (const char *at = pairs; *at;) {
        size_t pair_len = strcspn(at, " ");
        size_t key_len = strcspn(at, "=");
        assert(key_len > 0 && key_len < pair_len);
        const char *conversion = at + key_len + 1;
        size_t conversion_len = pair_len - key_len - 1;
        size_t start = printed_len(pairs, (size_t)(conversion - pairs), args);
        size_t end = printed_len(pairs, (size_t)(at + pair_len - pairs), args);

        size_t before = line->len;
        append_pair(line, format, fray_slice(at, key_len), fray_slice(conversion, conversion_len),
                    fray_slice(text.data + start, end - start));
        if (line->len > FRAY_LOG_LINE_MAX - sizeof truncated_json - 2) {
            line->len = before;
            fray_buf_printf(line, "%s", format == FRAY_LOG_JSON ? truncated_json : truncated);
            break;
        }
        at += pair_len;
        if (*at)
            at++;
    }
    fray_buf_deinit(&text);
}

void fray_log_encode(struct fray_buf *line, enum fray_log_format format, enum fray_log_level level,
                     const char *event, const char *pairs, va_list args)
{
    if (format == FRAY_LOG_JSON)
        fray_buf_printf(line, "{\"level\":\"%s\",\"event\":\"%s\"", level_names[level], event);
    else
        fray_buf_printf(line, "%s %s", level_names[level], event);
    append_pairs(line, format, pairs, args);
    fray_buf_printf(line, format == FRAY_LOG_JSON ? "}\n" : "\n");
}

void fray_log(enum fray_log_level level, const char *event, const char *pairs, ...)
{
    if (!fray_log_enabled(level))
        return;
    int saved_errno = errno;
    struct fray_buf line = {0};
    va_list args;
    va_start(args, pairs);
    fray_log_encode(&line,
                    (enum fray_log_format)atomic_load_explicit(&log_format, memory_order_relaxed),
                    level, event, pairs, args);
    va_end(args);
    ssize_t written;
    do {
        written = write(STDERR_FILENO, line.data, line.len);
    } while (written < 0 && errno == EINTR);
    fray_buf_deinit(&line);
    errno = saved_errno;
}
