/* The Cookie header of a request (RFC 6265 4.2, 5.4). Pure; any thread. */
#ifndef FRAY_WIRE_HTTP_COOKIE_H
#define FRAY_WIRE_HTTP_COOKIE_H

#include "wire/http_request.h"

/* The value of the first cookie with that name (case-sensitive) in a Cookie value, just as the
 * client sent it: not unquoted, not decoded. data is NULL when there is none. */
struct fray_slice fray_http_cookie_find(struct fray_slice header, struct fray_slice name);

/* The same over every Cookie field of a request. */
struct fray_slice fray_http_request_cookie(const struct fray_http_request *request,
                                           struct fray_slice name);

#endif
