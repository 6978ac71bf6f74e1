/* A borrowed run of bytes: text or binary, not terminated, owned by somebody else. Pure. */
#ifndef FRAY_BASE_SLICE_H
#define FRAY_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct fray_slice {
    const char *data; /* may be NULL only when len is 0 */
    size_t len;
};

/* A slice of a string literal, its length known to the compiler. */
#define FRAY_SLICE(literal) ((struct fray_slice){"" literal, sizeof(literal) - 1})

static inline struct fray_slice fray_slice(const void *data, size_t len)
{
    return (struct fray_slice){(const char *)data, len};
}

static inline struct fray_slice fray_slice_of(const char *string)
{
    return (struct fray_slice){string, string ? strlen(string) : 0};
}

static inline bool fray_slice_equal(struct fray_slice a, struct fray_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool fray_slice_starts(struct fray_slice text, struct fray_slice prefix)
{
    return text.len >= prefix.len &&
           (prefix.len == 0 || memcmp(text.data, prefix.data, prefix.len) == 0);
}

/* The bytes after the first `count`; `count` must not exceed the length. */
static inline struct fray_slice fray_slice_skip(struct fray_slice text, size_t count)
{
    return (struct fray_slice){count ? text.data + count : text.data, text.len - count};
}

#endif
