#include "wire/http_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

enum { NOW_S = 1700000000 }; /* 2023 */

static void assert_formats(int64_t unix_s, const char *expected)
{
    char text[FRAY_HTTP_DATE_LEN + 1] = "";
    fray_http_date_format(text, unix_s);
    assert_string_equal(text, expected);
}

static void formats(void **state)
{
    (void)state;
    assert_formats(784111777, "Sun, 06 Nov 1994 08:49:37 GMT"); /* RFC 9110 5.6.7 */
    assert_formats(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_formats(-1, "Wed, 31 Dec 1969 23:59:59 GMT");
    assert_formats(951782400, "Tue, 29 Feb 2000 00:00:00 GMT");
    assert_formats(INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_formats(INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT");
}

/* The C library does the same sum: every day from 1900 to 2200, at another second each. */
static void agrees_with_the_C_library_and_with_itself(void **state)
{
    (void)state;
    for (int64_t unix_s = -2208988800; unix_s < 7258118400; unix_s += 86400 + 7919) {
        char expected[64], text[FRAY_HTTP_DATE_LEN + 1] = "";
        time_t time = (time_t)unix_s;
        struct tm tm;
        int64_t parsed;
        strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&time, &tm));
        fray_http_date_format(text, unix_s);
        assert_string_equal(text, expected);
        assert_int_equal(fray_http_date_parse(fray_slice_of(text), NOW_S, &parsed), FRAY_OK);
        assert_int_equal(parsed, unix_s);
        strftime(expected, sizeof expected, "%a %b %e %H:%M:%S %Y", &tm);
        assert_int_equal(fray_http_date_parse(fray_slice_of(expected), NOW_S, &parsed), FRAY_OK);
        assert_int_equal(parsed, unix_s);
    }
}

static void assert_parses(const char *text, int64_t now_s, int64_t expected)
{
    int64_t parsed;
    assert_int_equal(fray_http_date_parse(fray_slice_of(text), now_s, &parsed), FRAY_OK);
    assert_int_equal(parsed, expected);
}

static void reads_the_obsolete_forms(void **state)
{
    (void)state;
    assert_parses("Sun, 06 Nov 1994 08:49:37 GMT", NOW_S, 784111777);
    assert_parses("Sunday, 06-Nov-94 08:49:37 GMT", NOW_S, 784111777);
    assert_parses("Sun Nov  6 08:49:37 1994", NOW_S, 784111777);
    assert_parses("Thursday, 01-Jan-70 00:00:00 GMT", NOW_S, INT64_C(3155760000)); /* 2070 */
    assert_parses("Thursday, 01-Jan-73 00:00:00 GMT", NOW_S, INT64_C(3250454400)); /* 2073 */
    assert_parses("Tuesday, 01-Jan-74 00:00:00 GMT", NOW_S, 126230400);            /* 1974 */
    assert_parses("Sat, 31 Dec 2016 23:59:60 GMT", NOW_S, 1483228800); /* a leap second */
}

static void refuses_everything_else(void **state)
{
    static const char *const texts[] = {
        "",
        "0",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 NOV 1994 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 0x Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:3",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT",
        "Thu, 29 Feb 1900 00:00:00 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:-1 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
    };
    int64_t parsed;
    (void)state;
    for (size_t at = 0; at < sizeof texts / sizeof texts[0]; at++)
        if (fray_http_date_parse(fray_slice_of(texts[at]), NOW_S, &parsed) != FRAY_ERR_SYNTAX)
            fail_msg("accepted \"%s\"", texts[at]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),
        cmocka_unit_test(agrees_with_the_C_library_and_with_itself),
        cmocka_unit_test(reads_the_obsolete_forms),
        cmocka_unit_test(refuses_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
