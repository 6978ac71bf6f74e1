#include "client/url.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Addresses only: names are the business of client_test.c. */
static void takes_a_url_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *name, *path, *address;
        bool is_tls;
    } cases[] = {
        {"ws://127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1", "", "127.0.0.1:8080", false},
        {"ws://127.0.0.1", "127.0.0.1", "127.0.0.1", "", "127.0.0.1:80", false},
        {"wss://127.0.0.1", "127.0.0.1", "127.0.0.1", "", "127.0.0.1:443", true},
        {"wss://[::1]:9/", "[::1]:9", "::1", "", "[::1]:9", true},
        {"ws://[::1]", "[::1]", "::1", "", "[::1]:80", false},
        {"ws://10.0.0.1:1/play/here//?x=/#y", "10.0.0.1:1", "10.0.0.1", "/play/here", "10.0.0.1:1",
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fray_client_url url;
        char text[FRAY_ADDRESS_TEXT_MAX];
        assert_true(fray_client_url_find(&url, cases[i].text));
        assert_string_equal(url.host, cases[i].host);
        assert_string_equal(url.name, cases[i].name);
        assert_string_equal(url.path, cases[i].path);
        assert_int_equal(url.is_tls, cases[i].is_tls);
        assert_int_equal(url.addresses_count, 1);
        assert_string_equal(fray_address_format(&url.addresses[0], text), cases[i].address);
        fray_client_url_deinit(&url);
    }
}

static void refuses_what_leads_nowhere(void **state)
{
    (void)state;
    static const char *const texts[] = {"",        "127.0.0.1:80", "http://127.0.0.1", "ws://",
                                        "ws:///x", "wss://:80",    "ws://[]:80",       "ws://["};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct fray_client_url url;
        assert_false(fray_client_url_find(&url, texts[i]));
        fray_client_url_deinit(&url);
    }
}

static void a_query_is_encoded(void **state)
{
    (void)state;
    struct fray_buf query = {0};
    fray_client_url_append(&query, "name", "A b&\xc3\xa9-._~");
    fray_client_url_append(&query, "token", NULL);
    fray_buf_append_byte(&query, 0);
    assert_string_equal(query.data, "&name=A%20b%26%C3%A9-._~");
    fray_buf_deinit(&query);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_url_apart),
        cmocka_unit_test(refuses_what_leads_nowhere),
        cmocka_unit_test(a_query_is_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
