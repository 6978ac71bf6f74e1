/* Files inside the program and on disk, and the headers that go with them. */
#include "transport/http_assert.h"
#include "transport/http_sim.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/static_files.h"

static char root[] = "/tmp/fray-static-XXXXXX";
static struct http_sim sim;
static struct http_client client;
static struct fray_static_dir dir;

#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const struct fray_embedded_file files[] = {
    {"app.5f2c91aa.js", "hashA", BYTES("let app;"), {0}, {0}, true},
    {"index.html", "hashB", BYTES("<html>"), {0}, {0}, false},
    {"sub/index.html", "hashC", BYTES("<sub>"), {0}, {0}, false},
    {"text.js", "hashD", BYTES("0123456789"), BYTES("br!"), BYTES("gzip"), false},
};
static const struct fray_embedded_set set = {files, sizeof files / sizeof *files};

/* "/disk/…" is the directory's, all else the program's. */
static void on_request(struct fray_http_service *service, fray_request *request)
{
    static const struct fray_slice prefix = {"/disk/", 6};
    struct fray_buf path = {0};
    bool on_disk = fray_slice_starts(fray_http_request_path(request->head), prefix);
    (void)service;
    if (fray_static_path(request, on_disk ? prefix.len - 1 : 0, &path)) {
        fray_buf_deinit(&path);
        return;
    }
    bool found = on_disk ? fray_static_dir_serve(&dir, request, fray_buf_slice(&path))
                         : fray_embedded_serve(&set, request, fray_buf_slice(&path));
    if (!found)
        fray_request_reply_status(request, 404);
    fray_buf_deinit(&path);
}

static void put(const char *name, const char *text, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    struct timespec times[2] = {{.tv_sec = HTTP_SIM_NOW_S}, {.tv_sec = HTTP_SIM_NOW_S - 1000}};
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static int make_root(void **state)
{
    (void)state;
    char path[256], outside[] = "/etc/hostname";
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof path, "%s/sub", root);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/.git", root);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/.well-known", root);
    mkdir(path, 0700);
    put("index.html", "<disk>", 6);
    put("sub/index.html", "<sub>", 5);
    put("sub/a b.txt", "blank", 5);
    put(".git/config", "secret", 6);
    put(".hidden", "secret", 6);
    put(".well-known/security.txt", "hello", 5);
    put("text.js", "0123456789", 10);
    put("text.js.br", "br!", 3);
    put("text.js.gz", "gzip", 4);
    put("app.5f2c91aa.css", "a{}", 3);
    put("empty.txt", "", 0);
    snprintf(path, sizeof path, "%s/escape", root);
    assert_int_equal(symlink(outside, path), 0);
    snprintf(path, sizeof path, "%s/inside.txt", root);
    assert_int_equal(symlink("sub/a b.txt", path), 0);
    snprintf(path, sizeof path, "%s/pipe.txt", root);
    assert_int_equal(mkfifo(path, 0600), 0);
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static int open_sim(void **state)
{
    (void)state;
    http_sim_open(&sim, on_request);
    http_client_open(&client, &sim);
    return fray_static_dir_open(&dir, root);
}

static int close_sim(void **state)
{
    (void)state;
    http_client_deinit(&client);
    http_sim_close(&sim);
    fray_static_dir_close(&dir);
    return 0;
}

static const char *request_with(const char *method, const char *path, const char *headers)
{
    char text[1024];
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, path, headers);
    return http_client_ask(&sim, &client, text);
}

static const char *get_with(const char *path, const char *headers)
{
    return request_with("GET", path, headers);
}

static const char *get(const char *path)
{
    return get_with(path, "");
}

static void assert_status(const char *reply, int status)
{
    char start[16];
    snprintf(start, sizeof start, "HTTP/1.1 %d ", status);
    assert_starts(reply, start);
}

static void assert_body(const char *reply, const char *body)
{
    const char *end = strstr(reply, "\r\n\r\n");
    assert_non_null(end);
    assert_string_equal(end + 4, body);
}

/* Inside the program. */

static void test_embedded(void **state)
{
    (void)state;
    assert_string_equal(get("/text.js"), "HTTP/1.1 200 OK\r\n"
                                         "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                         "content-type: text/javascript; charset=utf-8\r\n"
                                         "vary: accept-encoding\r\n"
                                         "cache-control: no-cache\r\n"
                                         "etag: \"hashD\"\r\n"
                                         "accept-ranges: bytes\r\n"
                                         "x-content-type-options: nosniff\r\n"
                                         "content-length: 10\r\n"
                                         "\r\n"
                                         "0123456789");
    assert_body(get("/"), "<html>");
    assert_lacks(get("/"), "vary");
    assert_body(get("/sub/"), "<sub>");
    assert_holds(get("/sub?a=b"), "location: ./sub/?a=b\r\n");
    assert_body(get("/sub/../index.html"), "<html>");
    assert_status(get("/nothing"), 404);
    assert_status(get("/text.js/"), 404);
    assert_status(get("/../text.js"), 404);
    assert_status(get("/%00text.js"), 400);
    assert_status(get("/a%2fb"), 400);
}

static void test_embedded_encodings(void **state)
{
    (void)state;
    const char *reply = get_with("/text.js", "Accept-Encoding: gzip, deflate, br\r\n");
    assert_holds(reply, "content-encoding: br\r\n");
    assert_holds(reply, "etag: \"hashD-br\"\r\n");
    assert_holds(reply, "vary: accept-encoding\r\n");
    assert_holds(reply, "content-type: text/javascript; charset=utf-8\r\n");
    assert_body(reply, "br!");
    reply = get_with("/text.js", "Accept-Encoding: gzip, br;q=0\r\n");
    assert_holds(reply, "content-encoding: gzip\r\n");
    assert_body(reply, "gzip");
    assert_body(get_with("/text.js", "Accept-Encoding: zstd\r\n"), "0123456789");
    assert_lacks(get_with("/index.html", "Accept-Encoding: br\r\n"), "content-encoding");
}

static void test_immutable(void **state)
{
    (void)state;
    assert_holds(get("/app.5f2c91aa.js"), "cache-control: public, max-age=31536000, immutable\r\n");
    assert_holds(get("/disk/app.5f2c91aa.css"),
                 "cache-control: public, max-age=31536000, immutable\r\n");
    assert_true(fray_static_is_hashed(FRAY_SLICE("/a.b/app.0123456789abcdef.min.js")));
    assert_false(fray_static_is_hashed(FRAY_SLICE("/app.5f2c91a.js")));
    assert_false(fray_static_is_hashed(FRAY_SLICE("/app.5f2c91ag.js")));
    assert_false(fray_static_is_hashed(FRAY_SLICE("/app.5f2c91aa")));
    assert_false(fray_static_is_hashed(FRAY_SLICE("/.5f2c91aa.js")));
    assert_false(fray_static_is_hashed(FRAY_SLICE("/a.5f2c91aa.d/app.js")));
}

static void test_not_modified(void **state)
{
    (void)state;
    const char *reply = get_with("/text.js", "If-None-Match: \"x\", W/\"hashD\"\r\n");
    assert_string_equal(reply, "HTTP/1.1 304 Not Modified\r\n"
                               "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                               "vary: accept-encoding\r\n"
                               "cache-control: no-cache\r\n"
                               "etag: \"hashD\"\r\n"
                               "\r\n");
    /* Another coding is another representation. */
    assert_status(get_with("/text.js", "If-None-Match: \"hashD\"\r\nAccept-Encoding: br\r\n"), 200);
    assert_status(get_with("/text.js", "If-None-Match: \"hashD-br\"\r\nAccept-Encoding: br\r\n"),
                  304);
    assert_status(get_with("/text.js", "If-Match: \"other\"\r\n"), 412);
}

static void test_ranges(void **state)
{
    (void)state;
    const char *reply = get_with("/text.js", "Range: bytes=2-4\r\n");
    assert_status(reply, 206);
    assert_holds(reply, "content-range: bytes 2-4/10\r\n");
    assert_holds(reply, "content-length: 3\r\n");
    assert_holds(reply, "etag: \"hashD\"\r\n");
    assert_body(reply, "234");
    assert_body(get_with("/text.js", "Range: bytes=-2\r\n"), "89");
    assert_body(get_with("/text.js", "Range: bytes=8-\r\n"), "89");
    reply = get_with("/text.js", "Range: bytes=10-\r\n");
    assert_status(reply, 416);
    assert_holds(reply, "content-range: bytes */10\r\n");
    assert_status(get_with("/text.js", "Range: bytes=0-1,3-4\r\n"), 200);
    assert_status(get_with("/text.js", "Range: bytes=0-1\r\nIf-Range: \"hashD\"\r\n"), 206);
    assert_status(get_with("/text.js", "Range: bytes=0-1\r\nIf-Range: \"old\"\r\n"), 200);
    assert_status(request_with("HEAD", "/text.js", "Range: bytes=0-1\r\n"), 200);
}

static void test_head(void **state)
{
    (void)state;
    static const char *const paths[] = {"/text.js", "/disk/text.js"};
    for (size_t i = 0; i < 2; i++) {
        char full[512];
        snprintf(full, sizeof full, "%s", get(paths[i]));
        strstr(full, "\r\n\r\n")[4] = '\0';
        strstr(full, "37 GMT")[1] = '?';
        char head[512];
        snprintf(head, sizeof head, "%s", request_with("HEAD", paths[i], ""));
        /* The same but for the time (RFC 9110 9.3.2). */
        strstr(head, "37 GMT")[1] = '?';
        assert_string_equal(head, full);
        http_client_deinit(&client);
        http_sim_close(&sim);
        http_sim_open(&sim, on_request); /* the clock begins again */
        http_client_open(&client, &sim);
    }
}

/* On disk. */

static void test_disk(void **state)
{
    (void)state;
    const char *reply = get("/disk/text.js");
    assert_status(reply, 200);
    assert_holds(reply, "content-type: text/javascript; charset=utf-8\r\n");
    assert_holds(reply, "last-modified: Sun, 06 Nov 1994 08:32:57 GMT\r\n");
    assert_holds(reply, "etag: W/\"a-");
    assert_holds(reply, "vary: accept-encoding\r\n");
    assert_holds(reply, "cache-control: no-cache\r\n");
    assert_holds(reply, "content-length: 10\r\n");
    assert_body(reply, "0123456789");
    assert_body(get("/disk/"), "<disk>");
    assert_body(get("/disk/sub/a%20b.txt"), "blank");
    assert_body(get("/disk/empty.txt"), "");
    assert_status(get("/disk/nothing"), 404);
}

static void test_disk_encodings(void **state)
{
    (void)state;
    const char *reply = get_with("/disk/text.js", "Accept-Encoding: gzip, br\r\n");
    assert_holds(reply, "content-encoding: br\r\n");
    assert_holds(reply, "content-type: text/javascript; charset=utf-8\r\n");
    assert_body(reply, "br!");
    assert_body(get_with("/disk/text.js", "Accept-Encoding: gzip\r\n"), "gzip");
    /* A variant of an older file is not its variant. */
    char path[256];
    struct timespec times[2] = {{.tv_sec = HTTP_SIM_NOW_S}, {.tv_sec = HTTP_SIM_NOW_S - 5000}};
    snprintf(path, sizeof path, "%s/text.js.br", root);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_body(get_with("/disk/text.js", "Accept-Encoding: gzip, br\r\n"), "gzip");
    put("text.js.br", "br!", 3);
}

static void test_disk_conditions(void **state)
{
    (void)state;
    char etag[128] = "", header[160];
    assert_int_equal(sscanf(strstr(get("/disk/text.js"), "etag: "), "etag: %127[^\r]", etag), 1);
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", etag);
    const char *reply = get_with("/disk/text.js", header);
    assert_status(reply, 304);
    assert_holds(reply, "last-modified: ");
    assert_lacks(reply, "content-length");
    assert_status(get_with("/disk/text.js", "If-Modified-Since: Sun, 06 Nov 1994 08:32:57 GMT\r\n"),
                  304);
    assert_status(get_with("/disk/text.js", "If-Modified-Since: Sun, 06 Nov 1994 08:32:56 GMT\r\n"),
                  200);
    reply = get_with("/disk/text.js", "Range: bytes=3-5\r\n");
    assert_status(reply, 206);
    assert_body(reply, "345");
    assert_status(get_with("/disk/empty.txt", "Range: bytes=0-\r\n"), 416);
}

static void test_disk_redirects_directories(void **state)
{
    (void)state;
    const char *reply = get("/disk/sub?a=b");
    assert_status(reply, 301);
    assert_holds(reply, "location: ./sub/?a=b\r\n");
    assert_status(get("/disk/sub/sub"), 404);
    assert_body(get("/disk/sub/"), "<sub>");
}

static void test_disk_keeps_its_secrets(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/disk/.hidden",        "/disk/.git/config",     "/disk/%2egit/config",
        "/disk/escape",         "/disk/../etc/hostname", "/disk/%2e%2e/%2e%2e/etc/hostname",
        "/disk/sub/../.hidden", "/disk/pipe.txt",        "/disk//../../etc/hostname",
        "/disk/sub/.",          "/disk/.well-known/.x",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *reply = get(paths[i]);
        if (strcmp(paths[i], "/disk/sub/.") == 0)
            assert_body(reply, "<sub>"); /* a directory like others */
        else
            assert_status(reply, 404);
        assert_lacks(reply, "secret");
    }
    assert_status(get("/disk/..%5c..%5cetc"), 400);
    assert_status(get("/disk/sub%00.txt"), 400);
    assert_body(get("/disk/.well-known/security.txt"), "hello");
    assert_body(get("/disk/inside.txt"), "blank"); /* a link that stays inside */
}

static void test_disk_large_file_in_pieces(void **state)
{
    (void)state;
    enum { SIZE = 1000000 };
    char *bytes = fray_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7 + i / 255);
    put("large.bin", bytes, SIZE);
    const char *reply = get("/disk/large.bin");
    const char *body = memmem(reply, client.received.len, "\r\n\r\n", 4);
    http_sim_run_ms(&sim, 2000);
    size_t head = (size_t)(body + 4 - reply);
    assert_int_equal(client.received.len - head, SIZE);
    assert_memory_equal(client.received.data + head, bytes, SIZE);
    free(bytes);
}

static void test_content_types(void **state)
{
    (void)state;
    assert_string_equal(fray_static_content_type(FRAY_SLICE("a.HTML")), "text/html; charset=utf-8");
    assert_string_equal(fray_static_content_type(FRAY_SLICE("a.wasm")), "application/wasm");
    assert_string_equal(fray_static_content_type(FRAY_SLICE("a.js.map")),
                        "application/json; charset=utf-8");
    assert_string_equal(fray_static_content_type(FRAY_SLICE("LICENSE")),
                        "application/octet-stream");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sim, close_sim)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_embedded),
        TEST(test_embedded_encodings),
        TEST(test_immutable),
        TEST(test_not_modified),
        TEST(test_ranges),
        TEST(test_head),
        TEST(test_disk),
        TEST(test_disk_encodings),
        TEST(test_disk_conditions),
        TEST(test_disk_redirects_directories),
        TEST(test_disk_keeps_its_secrets),
        TEST(test_disk_large_file_in_pieces),
        TEST(test_content_types),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
