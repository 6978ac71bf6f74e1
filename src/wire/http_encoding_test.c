#include "wire/http_encoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    BR = 1u << FRAY_HTTP_ENCODING_BR,
    GZIP = 1u << FRAY_HTTP_ENCODING_GZIP,
    DEFLATE = 1u << FRAY_HTTP_ENCODING_DEFLATE,
    IDENTITY = 1u << FRAY_HTTP_ENCODING_IDENTITY,
    ALL = BR | GZIP | DEFLATE | IDENTITY,
};

/* The name of what is chosen; "none" when nothing is. */
static const char *choice(const char *headers, unsigned offered)
{
    char text[512];
    struct fray_http_request request;
    struct fray_http_limits limits = fray_http_limits_default();
    struct fray_http_encodings accepted;
    size_t consumed;
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
    fray_http_request_init(&request);
    assert_int_equal(fray_http_request_parse(&request, fray_slice_of(text), &limits, &consumed),
                     FRAY_OK);
    fray_http_encodings_read(&accepted, &request);
    enum fray_http_encoding encoding = fray_http_encodings_choose(&accepted, offered);
    return encoding == FRAY_HTTP_ENCODING_COUNT ? "none" : fray_http_encoding_name(encoding);
}

#define ACCEPT(value) "Accept-Encoding: " value "\r\n"

static void negotiation(void **state)
{
    static const struct {
        const char *headers;
        unsigned offered;
        const char *expected;
    } cases[] = {
        {"", ALL, "identity"},
        {ACCEPT(""), ALL, "identity"},
        {ACCEPT("gzip, deflate, br"), ALL, "br"},
        {ACCEPT("gzip, deflate, br, zstd"), GZIP | IDENTITY, "gzip"},
        {ACCEPT("gzip, deflate"), BR | IDENTITY, "identity"},
        {ACCEPT("gzip, deflate"), BR, "none"},
        {ACCEPT("GZIP"), ALL, "gzip"},
        {ACCEPT("x-gzip"), ALL, "gzip"},
        {ACCEPT("br;q=0.5, gzip;q=0.8"), ALL, "gzip"},
        {ACCEPT("br;q=0.8\t; gzip"), ALL, "identity"}, /* a bad element is skipped */
        {ACCEPT("br ; q=0.1, deflate ;Q=0.100"), ALL, "br"},
        {ACCEPT("br;q=0.001, deflate;q=0.002"), ALL, "deflate"},
        {ACCEPT("gzip;q=0, *"), ALL, "br"},
        {ACCEPT("gzip;q=0, *"), GZIP, "none"},
        {ACCEPT("*"), GZIP | IDENTITY, "gzip"},
        {ACCEPT("*;q=0"), ALL, "none"},
        {ACCEPT("*;q=0, identity;q=0.1"), ALL, "identity"},
        {ACCEPT("identity;q=0"), IDENTITY, "none"},
        {ACCEPT("gzip;q=0.5, identity"), ALL, "identity"},
        {ACCEPT("gzip;q=0.5"), ALL, "gzip"},
        {ACCEPT("deflate") ACCEPT("gzip"), ALL, "gzip"},
        {ACCEPT("br;q=1.000, gzip;q=0.999"), ALL, "br"},
        {ACCEPT("br;q=1.001"), ALL, "identity"},
        {ACCEPT("br;q=0.1234"), ALL, "identity"},
        {ACCEPT("br;q=0.x"), ALL, "identity"},
        {ACCEPT("br;q="), ALL, "identity"},
        {ACCEPT("br;q=2"), ALL, "identity"},
        {ACCEPT("br;q=.5"), ALL, "identity"},
        {ACCEPT("br;x=1"), ALL, "identity"},
        {ACCEPT("br;q=0,5"), ALL, "identity"},
    };
    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        const char *got = choice(cases[at].headers, cases[at].offered);
        if (strcmp(got, cases[at].expected) != 0)
            fail_msg("%s, not %s, for %s", got, cases[at].expected, cases[at].headers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(negotiation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
