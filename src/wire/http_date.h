/* HTTP dates (RFC 9110 5.6.7): seconds since 1970-01-01 UTC, leap seconds not counted. Pure. */
#ifndef FRAY_WIRE_HTTP_DATE_H
#define FRAY_WIRE_HTTP_DATE_H

#include <stdint.h>

#include "base/slice.h"
#include "fray/err.h"

enum { FRAY_HTTP_DATE_LEN = 29 };

/* Writes IMF-fixdate, such as "Sun, 06 Nov 1994 08:49:37 GMT", without a terminator. Times outside
 * of the years 0 to 9999 are moved to the nearest one that can be written. */
void fray_http_date_format(char out[FRAY_HTTP_DATE_LEN], int64_t unix_s);

/* Reads IMF-fixdate and the two obsolete forms, RFC 850 and asctime, all case-sensitive. `now_s`
 * decides the century of RFC 850's two digits: at most 50 years ahead. FRAY_ERR_SYNTAX for anything
 * else and for days that no calendar has; the name of the day is not compared with the date. */
enum fray_err fray_http_date_parse(struct fray_slice text, int64_t now_s,
                                   int64_t *unix_s) FRAY_MUST_CHECK;

#endif
