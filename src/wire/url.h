/* The path and query of a URL (RFC 3986), percent-decoded strictly, and the query strings that
 * browsers write (application/x-www-form-urlencoded, WHATWG URL 5.1). Pure; any thread.
 *
 * Decoded text is bytes: whoever needs UTF-8 checks it. A decoded NUL is always refused, since the
 * text may end up as a C string. */
#ifndef FRAY_WIRE_URL_H
#define FRAY_WIRE_URL_H

#include "base/buf.h"
#include "base/slice.h"
#include "fray/err.h"

/* Splits at the first '?', which belongs to neither part. Without one, query->data is NULL. */
void fray_url_split(struct fray_slice target, struct fray_slice *path, struct fray_slice *query);

/* Appends `text` with every %XX decoded; '+' stays itself. FRAY_ERR_SYNTAX for an incomplete or
 * wrong escape and for a NUL, decoded or not; `out` is then as it was. */
enum fray_err fray_url_decode(struct fray_slice text, struct fray_buf *out) FRAY_MUST_CHECK;

struct fray_url_param {
    struct fray_slice name;
    struct fray_slice value; /* data is NULL when the pair has no '=' */
};

/* Cuts the next `name=value` off a query and decodes it, '+' as a space; empty pairs are skipped.
 * `scratch` is emptied and holds what had to be decoded: the parts live until its next use, or as
 * long as the query when nothing was encoded. FRAY_ERR_NOT_FOUND at the end; FRAY_ERR_SYNTAX for a
 * pair that does not decode, after which the iteration may go on. */
enum fray_err fray_url_query_next(struct fray_slice *rest, struct fray_buf *scratch,
                                  struct fray_url_param *out) FRAY_MUST_CHECK;

/* The value of the first pair with that (decoded) name, "" when it has no '='. As above, but
 * FRAY_ERR_SYNTAX already when a pair before it does not decode. */
enum fray_err fray_url_query_find(struct fray_slice query, const char *name,
                                  struct fray_buf *scratch,
                                  struct fray_slice *value) FRAY_MUST_CHECK;

/* Appends the path of a static file below a root: decoded once, "." and ".." resolved (RFC 3986
 * 5.2.4) and repeated slashes merged. The result begins with '/', holds no empty, "." or ".."
 * segment, no control character and no backslash, and ends with '/' when the path names a directory
 * ("/a/", "/a/.", "/a/b/.."). FRAY_ERR_SYNTAX for a path that does not begin with '/', for bad
 * escapes, controls, backslashes and encoded slashes; FRAY_ERR_DENIED for one that climbs above the
 * root. `out` is then as it was. Symbolic links are the business of whoever opens the file. */
enum fray_err fray_url_path_normalise(struct fray_slice path, struct fray_buf *out) FRAY_MUST_CHECK;

#endif
