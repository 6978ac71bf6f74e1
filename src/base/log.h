/* The server's log: one line an event, `level event key=value ...`, on standard error, written with
 * one write() so that lines of several threads (and processes) never mix. Lines carry no time:
 * journald, Docker and Kubernetes stamp them. Codecs do not log.
 *
 *     fray_log(FRAY_LOG_INFO, "listening", "address=%s workers=%d", "[::1]:8080", 4);
 *     text: info listening address=[::1]:8080 workers=4
 *     json: {"level":"info","event":"listening","address":"[::1]:8080","workers":4}
 *
 * Values may come from a peer: one that is empty or holds a space, quote, backslash, '=', control
 * character or a byte beyond ASCII is quoted and escaped, so that no value can forge a key or a
 * line. In JSON, values of %d, %i and %u conversions are numbers, all others strings.
 *
 * Any thread, no lock. The level and format are the process's; a program sets them once, early. */
#ifndef FRAY_BASE_LOG_H
#define FRAY_BASE_LOG_H

#include <stdarg.h>

#include "base/buf.h"

/* In the order of the option log_level. */
enum fray_log_level {
    FRAY_LOG_DEBUG,
    FRAY_LOG_INFO,
    FRAY_LOG_WARN,
    FRAY_LOG_ERROR,
};

/* In the order of the option log_format. */
enum fray_log_format {
    FRAY_LOG_TEXT,
    FRAY_LOG_JSON,
};

enum {
    /* Bytes of a line with its newline. What a pipe takes whole (PIPE_BUF on Linux); pairs that do
     * not fit are left out and `truncated=1` ends the line. */
    FRAY_LOG_LINE_MAX = 4096,
    /* Bytes of a value before escaping; the rest is cut. */
    FRAY_LOG_VALUE_MAX = 512,
};

/* From now on only events of `level` and above are written, as `format`. At first: info, text. */
void fray_log_configure(enum fray_log_level level, enum fray_log_format format);

/* For callers to whom preparing the arguments is dear. */
bool fray_log_enabled(enum fray_log_level level);

/* Writes an event if its level is enabled. `event` is a fixed snake_case name. `pairs` is printf's,
 * `key=value` parted by one space each, keys and format fixed in the source; "" for none. Keeps
 * errno. A line that standard error does not take is lost: there is nowhere to say so. */
void fray_log(enum fray_log_level level, const char *event, const char *pairs, ...)
    __attribute__((format(printf, 3, 4)));

/* The same without filter and output: appends the line, newline included, to `line`. Pure. */
void fray_log_encode(struct fray_buf *line, enum fray_log_format format, enum fray_log_level level,
                     const char *event, const char *pairs, va_list args)
    __attribute__((format(printf, 5, 0)));

#endif
