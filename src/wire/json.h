/* JSON (RFC 8259) without a tree and without allocation, because fray relays most values unread:
 * validate a text once, then walk it as slices of that text.
 *
 * fray_json_validate is the only function that judges bytes. All others expect (part of) a text
 * that it accepted. Given anything else they still read nothing beyond their slice and still
 * terminate, but what they return then means nothing.
 *
 * A "value" is the slice of one JSON value without the white space around it, quotes or brackets
 * included. Slices borrow from the text that they were cut from. Pure; any thread. */
#ifndef FRAY_WIRE_JSON_H
#define FRAY_WIRE_JSON_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "fray/err.h"

enum {
    FRAY_JSON_DEPTH_DEFAULT = 64, /* for a text that a peer sends, when no option says otherwise */
    FRAY_JSON_DEPTH_CAP = 512,    /* the most that any depth_max can allow */
};

enum fray_json_kind {
    FRAY_JSON_NULL,
    FRAY_JSON_FALSE,
    FRAY_JSON_TRUE,
    FRAY_JSON_NUMBER,
    FRAY_JSON_STRING,
    FRAY_JSON_ARRAY,
    FRAY_JSON_OBJECT,
};

/* Whether the text is exactly one JSON value with optional white space around it. depth_max is how
 * many arrays and objects may be open at once (0 allows scalars only). A lone surrogate is accepted
 * as an escape, since JSON.stringify writes one for an ill-formed JavaScript string; as raw bytes
 * it is not UTF-8. There is no byte order mark (RFC 8259 section 8.1).
 *
 * FRAY_ERR_SYNTAX: not JSON, or cut short.  FRAY_ERR_LIMIT: deeper than depth_max.
 * FRAY_ERR_UTF8: otherwise JSON, but not UTF-8. */
enum fray_err fray_json_validate(struct fray_slice text, unsigned depth_max) FRAY_MUST_CHECK;

/* The value of a text: the text without the white space around it. */
struct fray_slice fray_json_trim(struct fray_slice text);

/* The kind of a value, told by its first byte. */
enum fray_json_kind fray_json_kind(struct fray_slice value);

/* Skips what comes before the next string of a valid text, be it a value or a name; false: there is
 * none. `*open`, at first NULL: where the object that it is in begins, while that has had nothing
 * but scalars inside; else NULL. */
bool fray_json_seek_string(struct fray_slice *text, const char **open);

/* Cuts off the value that *text begins with; empty when it begins with none. */
struct fray_slice fray_json_take(struct fray_slice *text);

/* A walk over the elements of an array or the members of an object, without descending. */
struct fray_json_iter {
    const char *at;
    const char *end; /* the closing bracket */
    bool object;
};

struct fray_json_item {
    struct fray_slice key; /* of a member, quotes included; empty for an element */
    struct fray_slice value;
};

/* Any value that is not an array or an object counts as empty. */
struct fray_json_iter fray_json_iterate(struct fray_slice container);

/* False at the end, with *item untouched. */
bool fray_json_next(struct fray_json_iter *iter, struct fray_json_item *item);

/* What fray_json_next has not passed yet, as one run: `2,[3]` of `[1, 2,[3] ]` after one step. */
struct fray_slice fray_json_rest(const struct fray_json_iter *iter);

/* The member with this name (unescaped text). Of equal names the last counts, as in JavaScript. */
bool fray_json_find(struct fray_slice object, struct fray_slice name, struct fray_slice *value);

/* Whether a string value holds escapes, so that its text is not simply what is between its quotes.
 */
bool fray_json_string_escaped(struct fray_slice value);

/* A string value's text in UTF-8: borrowed from the value when there are no escapes, else appended
 * to `scratch` and borrowed from there, until `scratch` next grows. An escaped lone surrogate
 * becomes U+FFFD, for UTF-8 cannot carry it. May hold NUL bytes. */
struct fray_slice fray_json_string_text(struct fray_slice value, struct fray_buf *scratch);

/* Whether a string value's text is `text`, escapes resolved, nothing copied. */
bool fray_json_string_equal(struct fray_slice value, struct fray_slice text);

/* Appends `text`, which must be UTF-8, as a string value, escaped exactly as JSON.stringify does:
 * quote, backslash and U+0000 to U+001F, the latter by their short form where there is one. */
void fray_json_write_string(struct fray_buf *buf, struct fray_slice text);

#endif
