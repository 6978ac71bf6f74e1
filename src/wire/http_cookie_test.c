#include "wire/http_cookie.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_cookie(const char *header, const char *name, const char *expected)
{
    struct fray_slice value = fray_http_cookie_find(fray_slice_of(header), fray_slice_of(name));
    if (!expected) {
        assert_null(value.data);
        return;
    }
    assert_non_null(value.data);
    assert_int_equal(value.len, strlen(expected));
    assert_memory_equal(value.data, expected, value.len);
}

static void finds_by_exact_name(void **state)
{
    (void)state;
    assert_cookie("a=1; io=x=y; b=", "a", "1");
    assert_cookie("a=1; io=x=y; b=", "io", "x=y");
    assert_cookie("a=1; io=x=y; b=", "b", "");
    assert_cookie("a=1; io=x=y; b=", "c", NULL);
    assert_cookie("ioo=1; xio=2;io=3", "io", "3");
    assert_cookie("IO=1", "io", NULL);
    assert_cookie("io=1; io=2", "io", "1");
    assert_cookie("io; io=2", "io", "2");
    assert_cookie(";; \tio=\"q\" ;", "io", "\"q\"");
    assert_cookie("x=io=1", "io", NULL);
    assert_cookie("", "io", NULL);
}

static void looks_into_every_field(void **state)
{
    static const char text[] =
        "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nX: a=2\r\nCookie: b=2\r\n\r\n";
    struct fray_http_limits limits = fray_http_limits_default();
    struct fray_http_request request;
    size_t consumed;
    (void)state;
    fray_http_request_init(&request);
    assert_int_equal(fray_http_request_parse(&request,
                                             FRAY_SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
                                             &limits, &consumed),
                     FRAY_OK);
    assert_null(fray_http_request_cookie(&request, FRAY_SLICE("a")).data);
    fray_http_request_init(&request);
    assert_int_equal(fray_http_request_parse(&request, fray_slice_of(text), &limits, &consumed),
                     FRAY_OK);
    assert_true(
        fray_slice_equal(fray_http_request_cookie(&request, FRAY_SLICE("a")), FRAY_SLICE("1")));
    assert_true(
        fray_slice_equal(fray_http_request_cookie(&request, FRAY_SLICE("b")), FRAY_SLICE("2")));
    assert_null(fray_http_request_cookie(&request, FRAY_SLICE("c")).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_exact_name),
        cmocka_unit_test(looks_into_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
