#include "net/address.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void parses_and_formats(void **state)
{
    (void)state;
    static const struct {
        const char *text, *formatted, *ip;
        bool is_v4;
    } cases[] = {
        {"127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1", true},
        {"localhost:1", "127.0.0.1:1", "127.0.0.1", true},
        {":5000", "0.0.0.0:5000", "0.0.0.0", true},
        {"0", "127.0.0.1:0", "127.0.0.1", true},
        {"65535", "127.0.0.1:65535", "127.0.0.1", true},
        {"00080", "127.0.0.1:80", "127.0.0.1", true},
        {"255.255.255.255:65535", "255.255.255.255:65535", "255.255.255.255", true},
        {"[::1]:8080", "[::1]:8080", "::1", false},
        {"[::]:80", "[::]:80", "::", false},
        {"[2001:DB8:0:0:0:0:0:1]:443", "[2001:db8::1]:443", "2001:db8::1", false},
        {"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:1",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         false},
        {"[::ffff:10.0.0.7]:9", "10.0.0.7:9", "10.0.0.7", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fray_address address;
        char text[FRAY_ADDRESS_TEXT_MAX];
        assert_int_equal(fray_address_parse(&address, fray_slice_of(cases[i].text)), FRAY_OK);
        assert_int_equal(address.is_v4, cases[i].is_v4);
        assert_string_equal(fray_address_format(&address, text), cases[i].formatted);
        assert_string_equal(fray_address_format_ip(&address, text), cases[i].ip);
        struct fray_address again;
        fray_address_format(&address, text);
        assert_int_equal(fray_address_parse(&again, fray_slice_of(text)), FRAY_OK);
        assert_memory_equal(again.ip, address.ip, sizeof address.ip);
        assert_int_equal(again.port, address.port);
    }
}

static void refuses_everything_else(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        ":",
        "a",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "1:100000",
        "1.2.3:80",
        "1.2.3.4.5:1",
        "256.0.0.1:80",
        "example.com:80",
        "LOCALHOST:80",
        "::1:80",
        "[::1]",
        "[::1]80",
        "[::1:80",
        "[]:80",
        "[127.0.0.1]:80",
        "[::1] :80",
        "[::1%lo]:80",
        "80 ",
        " 80",
        "+80",
        "-1",
        "0x50",
        "[",
        "[:1",
        "::",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fray_address address = {.port = 77};
        assert_int_equal(fray_address_parse(&address, fray_slice_of(cases[i])), FRAY_ERR_SYNTAX);
        assert_int_equal(address.port, 77);
    }
    struct fray_address address;
    assert_int_equal(fray_address_parse(&address, fray_slice("127.0.0.1\0:80", 13)),
                     FRAY_ERR_SYNTAX);
    assert_int_equal(fray_address_parse(&address, (struct fray_slice){0}), FRAY_ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_and_formats),
        cmocka_unit_test(refuses_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
