#include "wire/http_conditional.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* The representation that the tests ask for. */
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define EXACTLY "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"
enum { MODIFIED_S = 784111777, NOW_S = 1700000000, SIZE = 100 };
static const struct fray_http_validators strong = {{"\"v1\"", 4}, MODIFIED_S};
static const struct fray_http_validators weak = {{"W/\"v1\"", 6}, MODIFIED_S};
static const struct fray_http_validators none = {{NULL, 0}, FRAY_HTTP_MODIFIED_NONE};

static char text[512]; /* of the request parsed last */

static struct fray_http_request request_with(const char *method, const char *headers)
{
    struct fray_http_request request;
    struct fray_http_limits limits = fray_http_limits_default();
    size_t consumed;
    snprintf(text, sizeof text, "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", method, headers);
    fray_http_request_init(&request);
    assert_int_equal(fray_http_request_parse(&request, fray_slice_of(text), &limits, &consumed),
                     FRAY_OK);
    return request;
}

static bool matches(const char *list, const char *etag, enum fray_http_etag_comparison comparison)
{
    return fray_http_etag_matches(fray_slice_of(list), fray_slice_of(etag), comparison);
}

static void etag_comparison(void **state)
{
    (void)state; /* the table of RFC 9110 8.8.3.2 */
    assert_false(matches("W/\"1\"", "W/\"1\"", FRAY_HTTP_ETAG_STRONG));
    assert_true(matches("W/\"1\"", "W/\"1\"", FRAY_HTTP_ETAG_WEAK));
    assert_false(matches("W/\"1\"", "W/\"2\"", FRAY_HTTP_ETAG_WEAK));
    assert_false(matches("W/\"1\"", "\"1\"", FRAY_HTTP_ETAG_STRONG));
    assert_true(matches("W/\"1\"", "\"1\"", FRAY_HTTP_ETAG_WEAK));
    assert_true(matches("\"1\"", "\"1\"", FRAY_HTTP_ETAG_STRONG));
    assert_true(matches("\"1\"", "\"1\"", FRAY_HTTP_ETAG_WEAK));
}

static void etag_lists(void **state)
{
    (void)state;
    assert_true(matches("\"a\", \"b\"", "\"b\"", FRAY_HTTP_ETAG_STRONG));
    assert_true(matches(" ,\"a,b\"\t,,W/\"c\" , ", "W/\"c\"", FRAY_HTTP_ETAG_WEAK));
    assert_true(matches("\"a,b\"", "\"a,b\"", FRAY_HTTP_ETAG_STRONG));
    assert_false(matches("\"a,b\"", "\"a\"", FRAY_HTTP_ETAG_WEAK));
    assert_true(matches("\"a\\\"", "\"a\\\"", FRAY_HTTP_ETAG_STRONG)); /* no escapes */
    assert_true(matches("*", "\"x\"", FRAY_HTTP_ETAG_STRONG));
    assert_false(matches("*", "", FRAY_HTTP_ETAG_STRONG));
    assert_false(matches("", "\"x\"", FRAY_HTTP_ETAG_WEAK));
    assert_false(matches("x", "x", FRAY_HTTP_ETAG_WEAK));
    assert_false(matches("\"x", "\"x", FRAY_HTTP_ETAG_WEAK));
    assert_false(matches("w/\"x\"", "\"x\"", FRAY_HTTP_ETAG_WEAK));
    assert_false(matches("\"a\" \"x\"", "\"x\"", FRAY_HTTP_ETAG_WEAK));
    assert_false(matches("\"a b\"", "\"a b\"", FRAY_HTTP_ETAG_WEAK));
    assert_false(matches("W/", "W/", FRAY_HTTP_ETAG_WEAK));
}

static void assert_checks(const char *method, const char *headers,
                          const struct fray_http_validators *validators,
                          enum fray_http_precondition expected)
{
    struct fray_http_request request = request_with(method, headers);
    enum fray_http_precondition got = fray_http_precondition_check(&request, validators, NOW_S);
    if (got != expected)
        fail_msg("%d, not %d, for %s %s", (int)got, (int)expected, method, headers);
}

static void revalidation(void **state)
{
    (void)state;
    assert_checks("GET", "", &strong, FRAY_HTTP_PROCEED);
    assert_checks("GET", "If-None-Match: \"v1\"\r\n", &strong, FRAY_HTTP_NOT_MODIFIED);
    assert_checks("HEAD", "If-None-Match: W/\"v1\"\r\n", &strong, FRAY_HTTP_NOT_MODIFIED);
    assert_checks("GET", "If-None-Match: \"v1\"\r\n", &weak, FRAY_HTTP_NOT_MODIFIED);
    assert_checks("GET", "If-None-Match: \"v0\"\r\nIf-None-Match: \"v1\"\r\n", &strong,
                  FRAY_HTTP_NOT_MODIFIED);
    assert_checks("GET", "If-None-Match: \"v2\"\r\n", &strong, FRAY_HTTP_PROCEED);
    assert_checks("PUT", "If-None-Match: *\r\n", &strong, FRAY_HTTP_PRECONDITION_FAILED);
    assert_checks("GET", "If-None-Match: *\r\n", &none, FRAY_HTTP_NOT_MODIFIED);

    assert_checks("GET", "If-Modified-Since: " BEFORE "\r\n", &strong, FRAY_HTTP_PROCEED);
    assert_checks("GET", "If-Modified-Since: " EXACTLY "\r\n", &strong, FRAY_HTTP_NOT_MODIFIED);
    assert_checks("GET", "If-Modified-Since: " AFTER "\r\n", &strong, FRAY_HTTP_NOT_MODIFIED);
    assert_checks("POST", "If-Modified-Since: " AFTER "\r\n", &strong, FRAY_HTTP_PROCEED);
    assert_checks("GET", "If-Modified-Since: today\r\n", &strong, FRAY_HTTP_PROCEED);
    assert_checks("GET", "If-Modified-Since: " AFTER "\r\n", &none, FRAY_HTTP_PROCEED);
    /* If-None-Match goes first */
    assert_checks("GET", "If-None-Match: \"v2\"\r\nIf-Modified-Since: " AFTER "\r\n", &strong,
                  FRAY_HTTP_PROCEED);
}

static void lost_update(void **state)
{
    (void)state;
    assert_checks("PUT", "If-Match: \"v1\"\r\n", &strong, FRAY_HTTP_PROCEED);
    assert_checks("PUT", "If-Match: \"v1\"\r\n", &weak, FRAY_HTTP_PRECONDITION_FAILED);
    assert_checks("PUT", "If-Match: \"v2\"\r\n", &strong, FRAY_HTTP_PRECONDITION_FAILED);
    assert_checks("GET", "If-Match: *\r\n", &none, FRAY_HTTP_PROCEED);
    assert_checks("GET", "If-Unmodified-Since: " BEFORE "\r\n", &strong,
                  FRAY_HTTP_PRECONDITION_FAILED);
    assert_checks("GET", "If-Unmodified-Since: " EXACTLY "\r\n", &strong, FRAY_HTTP_PROCEED);
    assert_checks("GET", "If-Match: \"v1\"\r\nIf-Unmodified-Since: " BEFORE "\r\n", &strong,
                  FRAY_HTTP_PROCEED);
    assert_checks("GET", "If-Match: \"v2\"\r\nIf-None-Match: \"v1\"\r\n", &strong,
                  FRAY_HTTP_PRECONDITION_FAILED);
}

static void assert_range(const char *value, uint64_t size, uint64_t first, uint64_t len)
{
    struct fray_http_range range = {0};
    assert_int_equal(fray_http_range_parse(fray_slice_of(value), size, &range), FRAY_OK);
    assert_int_equal(range.first, first);
    assert_int_equal(range.len, len);
}

static void assert_no_range(const char *value, uint64_t size, enum fray_err expected)
{
    struct fray_http_range range;
    enum fray_err err = fray_http_range_parse(fray_slice_of(value), size, &range);
    if (err != expected)
        fail_msg("%s for \"%s\"", fray_err_name(err), value);
}

static void ranges(void **state)
{
    (void)state;
    assert_range("bytes=0-0", SIZE, 0, 1);
    assert_range("bytes=0-99", SIZE, 0, 100);
    assert_range("bytes=10-19", SIZE, 10, 10);
    assert_range("bytes=10-", SIZE, 10, 90);
    assert_range("bytes=99-", SIZE, 99, 1);
    assert_range("bytes=0-100", SIZE, 0, 100);
    assert_range("BYTES= 1-2 ", SIZE, 1, 2);
    assert_range("bytes=0-99999999999999999999999", SIZE, 0, 100);
    assert_range("bytes=-1", SIZE, 99, 1);
    assert_range("bytes=-100", SIZE, 0, 100);
    assert_range("bytes=-101", SIZE, 0, 100);
    assert_range("bytes=-99999999999999999999999", SIZE, 0, 100);
    assert_range("bytes=0-", UINT64_MAX, 0, UINT64_MAX);
}

static void ranges_that_are_not(void **state)
{
    static const char *const bad[] = {"",          "bytes",      "bytes=",       "bytes=-",
                                      "bytes=1",   "bytes=2-1",  "bytes=a-",     "bytes=1-b",
                                      "bytes=+1-", "bytes=1--2", "bytes= 1 - 2", "bytes=--1",
                                      "bits=0-1",  "bytes 0-1",  "bytes =0-1"};
    (void)state;
    for (size_t at = 0; at < sizeof bad / sizeof bad[0]; at++)
        assert_no_range(bad[at], SIZE, FRAY_ERR_SYNTAX);
    assert_no_range("bytes=100-", SIZE, FRAY_ERR_LIMIT);
    assert_no_range("bytes=100-200", SIZE, FRAY_ERR_LIMIT);
    assert_no_range("bytes=99999999999999999999999-", SIZE, FRAY_ERR_LIMIT);
    assert_no_range("bytes=-0", SIZE, FRAY_ERR_LIMIT);
    assert_no_range("bytes=0-", 0, FRAY_ERR_LIMIT);
    assert_no_range("bytes=-1", 0, FRAY_ERR_UNSUPPORTED);
    assert_no_range("bytes=0-1,5-6", SIZE, FRAY_ERR_UNSUPPORTED);
}

static void assert_asks(const char *method, const char *headers,
                        const struct fray_http_validators *validators, enum fray_err expected)
{
    struct fray_http_range range;
    struct fray_http_request request = request_with(method, headers);
    enum fray_err err = fray_http_request_range(&request, validators, NOW_S, SIZE, &range);
    if (err != expected)
        fail_msg("%s for %s %s", fray_err_name(err), method, headers);
}

#define RANGE "Range: bytes=1-2\r\n"

static void if_range(void **state)
{
    const struct fray_http_validators fresh = {{NULL, 0}, NOW_S};
    (void)state;
    assert_asks("GET", RANGE, &strong, FRAY_OK);
    assert_asks("GET", "", &strong, FRAY_ERR_NOT_FOUND);
    assert_asks("HEAD", RANGE, &strong, FRAY_ERR_NOT_FOUND);
    assert_asks("GET", RANGE RANGE, &strong, FRAY_ERR_SYNTAX);
    assert_asks("GET", "Range: bytes=100-\r\n", &strong, FRAY_ERR_LIMIT);
    assert_asks("GET", RANGE "If-Range: \"v1\"\r\n", &strong, FRAY_OK);
    assert_asks("GET", RANGE "If-Range: \"v2\"\r\n", &strong, FRAY_ERR_NOT_FOUND);
    assert_asks("GET", RANGE "If-Range: W/\"v1\"\r\n", &weak, FRAY_ERR_NOT_FOUND);
    assert_asks("GET", RANGE "If-Range: \"v1\", \"v2\"\r\n", &strong, FRAY_ERR_NOT_FOUND);
    assert_asks("GET", RANGE "If-Range: \"v1\"\r\nIf-Range: \"v1\"\r\n", &strong,
                FRAY_ERR_NOT_FOUND);
    assert_asks("GET", RANGE "If-Range: *\r\n", &strong, FRAY_ERR_NOT_FOUND);
    assert_asks("GET", RANGE "If-Range:\r\n", &strong, FRAY_ERR_NOT_FOUND);
    assert_asks("GET", RANGE "If-Range: \"v1\"\r\n", &none, FRAY_ERR_NOT_FOUND);
    assert_asks("GET", RANGE "If-Range: " EXACTLY "\r\n", &strong, FRAY_OK);
    assert_asks("GET", RANGE "If-Range: " AFTER "\r\n", &strong, FRAY_ERR_NOT_FOUND);
    assert_asks("GET", RANGE "If-Range: " BEFORE "\r\n", &strong, FRAY_ERR_NOT_FOUND);
    /* modified in this very second: it may change again */
    assert_asks("GET", RANGE "If-Range: Tue, 14 Nov 2023 22:13:20 GMT\r\n", &fresh,
                FRAY_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(etag_comparison), cmocka_unit_test(etag_lists),
        cmocka_unit_test(revalidation),    cmocka_unit_test(lost_update),
        cmocka_unit_test(ranges),          cmocka_unit_test(ranges_that_are_not),
        cmocka_unit_test(if_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
