/* Routes, CORS, and the routes that operators ask for. */
#include "transport/http_assert.h"
#include "transport/http_sim.h"

#include "server/http_router.h"
#include "server/metrics.h"

static struct http_sim sim;
static struct http_client client;
static struct fray_http_router *router;
static struct fray_metrics metrics;
static struct fray_worker *workers[2], other_worker;

static const char *const two_origins[] = {"https://a.example", "https://b.example"};
static const char *const any_origin[] = {"*"};
static const struct fray_http_cors closed_cors = {0};
static const struct fray_http_cors list_cors = {two_origins, 2, true, 600};
static const struct fray_http_cors any_cors = {any_origin, 1, false, 0};

static void answer(fray_request *request, void *context)
{
    fray_request_reply(request, 200, NULL, context, strlen(context));
}

static void add(const char *method, const char *path, const char *words,
                const struct fray_http_cors *cors)
{
    const struct fray_http_route route = {
        .method = method, .path = path, .handle = answer, .context = (void *)words, .cors = cors};
    assert_int_equal(fray_http_router_add(router, &route), FRAY_OK);
}

static void on_head(struct fray_http_service *service, fray_request *request)
{
    (void)service;
    fray_http_router_head(router, request);
}

static void on_request(struct fray_http_service *service, fray_request *request)
{
    (void)service;
    fray_http_router_route(router, request);
}

static int open_sim(void **state)
{
    (void)state;
    http_sim_open(&sim, on_request);
    sim.service.on_head = on_head;
    http_client_open(&client, &sim);
    router = fray_http_router_create();
    add("GET", "/*", "fallback", NULL);
    add("GET", "/api/*", "api", NULL);
    add("GET", "/api/x", "get x", NULL);
    add("POST", "/api/x", "post x", NULL);
    add("POST", "/form", "form", NULL);
    add(NULL, "/socket.io/*", "engine", &list_cors);
    add(NULL, "/any/*", "any", &any_cors);
    add(NULL, "/closed", "closed", &closed_cors);
    workers[0] = &sim.worker;
    workers[1] = &other_worker;
    metrics = (struct fray_metrics){.workers = workers,
                                    .workers_count = 2,
                                    .version = "1.2.3",
                                    .started_s = HTTP_SIM_NOW_S - 60};
    fray_metrics_add_routes(&metrics, router, NULL);
    return 0;
}

static int close_sim(void **state)
{
    (void)state;
    http_client_deinit(&client);
    http_sim_close(&sim);
    fray_http_router_destroy(router);
    return 0;
}

static const char *ask(const char *line, const char *headers)
{
    char text[1024];
    snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: a\r\n%s\r\n", line, headers);
    return http_client_ask(&sim, &client, text);
}

static void assert_answer(const char *line, const char *body)
{
    const char *reply = ask(line, "");
    assert_starts(reply, "HTTP/1.1 200 OK\r\n");
    assert_string_equal(strstr(reply, "\r\n\r\n") + 4, body);
}

static void test_most_specific_wins(void **state)
{
    (void)state;
    assert_answer("GET /", "fallback");
    assert_answer("GET /api", "fallback");
    assert_answer("GET /api/", "api");
    assert_answer("GET /api/y?x", "api");
    assert_answer("GET /api/x", "get x");
    assert_answer("GET /api/%78", "get x");
    assert_answer("POST /api/x", "post x");
    assert_answer("HEAD /api/x", "");
    assert_answer("DELETE /socket.io/", "engine");
}

static void test_wrong_method(void **state)
{
    (void)state;
    const char *reply = ask("PUT /api/x", "");
    assert_starts(reply, "HTTP/1.1 405 Method Not Allowed\r\n");
    assert_holds(reply, "allow: GET, HEAD, POST, OPTIONS\r\n");
    assert_starts(ask("DELETE /other", ""), "HTTP/1.1 405 ");
}

static void test_options(void **state)
{
    (void)state;
    const char *reply = ask("OPTIONS /form", "");
    assert_starts(reply, "HTTP/1.1 204 No Content\r\n");
    assert_holds(reply, "allow: GET, HEAD, POST, OPTIONS\r\n"); /* GET by the fallback */
    assert_starts(ask("OPTIONS *", ""), "HTTP/1.1 204 ");
}

static void test_not_found(void **state)
{
    (void)state;
    struct fray_http_router *full = router;
    router = fray_http_router_create();
    assert_starts(ask("GET /", ""), "HTTP/1.1 404 Not Found\r\n");
    assert_starts(ask("GET /%zz", ""), "HTTP/1.1 400 ");
    fray_http_router_destroy(router);
    router = full;
}

static void test_coded_bodies(void **state)
{
    (void)state;
    const char *reply = ask("POST /form", "Content-Encoding: gzip\r\nContent-Length: 4\r\n");
    assert_starts(reply, "HTTP/1.1 415 Unsupported Media Type\r\n");
    assert_holds(reply, "accept-encoding: identity\r\n");
    assert_holds(reply, "without Content-Encoding");
    http_client_deinit(&client);
    http_client_open(&client, &sim);
    assert_starts(ask("POST /form", "Content-Encoding: Identity\r\nContent-Length: 2\r\n\r\n"),
                  "HTTP/1.1 200 ");
    assert_starts(ask("GET /api/x", "Content-Encoding: gzip\r\n"), "HTTP/1.1 200 ");
}

static void test_bad_routes_are_refused(void **state)
{
    (void)state;
    struct fray_http_route route = {.method = "GET", .path = "/api/x", .handle = answer};
    assert_int_equal(fray_http_router_add(router, &route), FRAY_ERR_EXISTS);
    route.path = "api";
    assert_int_equal(fray_http_router_add(router, &route), FRAY_ERR_SYNTAX);
    route.path = "/api";
    route.method = "BREW";
    assert_int_equal(fray_http_router_add(router, &route), FRAY_ERR_SYNTAX);
}

static void test_cors_of_a_list(void **state)
{
    (void)state;
    const char *reply = ask("GET /socket.io/", "Origin: https://b.example\r\n");
    assert_holds(reply, "access-control-allow-origin: https://b.example\r\n");
    assert_holds(reply, "access-control-allow-credentials: true\r\n");
    assert_holds(reply, "vary: origin\r\n");
    reply = ask("GET /socket.io/", "Origin: https://b.example.evil\r\n");
    assert_lacks(reply, "access-control-allow-origin");
    assert_holds(reply, "vary: origin\r\n");
    assert_lacks(ask("GET /api/x", "Origin: https://b.example\r\n"), "access-control");
    assert_lacks(ask("GET /closed", "Origin: https://b.example\r\n"), "access-control");
}

static void test_cors_of_any(void **state)
{
    (void)state;
    const char *reply = ask("GET /any/x", "Origin: https://x.example\r\n");
    assert_holds(reply, "access-control-allow-origin: *\r\n");
    assert_lacks(reply, "vary");
    assert_lacks(reply, "credentials");
    assert_holds(ask("GET /any/x", ""), "access-control-allow-origin: *\r\n");
}

static void test_preflight(void **state)
{
    (void)state;
    const char *reply = ask("OPTIONS /socket.io/", "Origin: https://a.example\r\n"
                                                   "Access-Control-Request-Method: POST\r\n"
                                                   "Access-Control-Request-Headers: x-a, x-b\r\n");
    assert_starts(reply, "HTTP/1.1 204 No Content\r\n");
    assert_holds(reply, "access-control-allow-origin: https://a.example\r\n");
    assert_holds(reply, "access-control-allow-methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n");
    assert_holds(reply, "access-control-allow-headers: x-a, x-b\r\n");
    assert_holds(reply, "access-control-max-age: 600\r\n");
    assert_holds(reply, "vary: access-control-request-headers\r\n");
    /* Without a list of origins the route answers for itself. */
    assert_holds(ask("OPTIONS /closed", "Access-Control-Request-Method: POST\r\n"), "closed");
}

/* Also what the transport refuses on the way to the handler. */
static void test_cors_on_errors(void **state)
{
    (void)state;
    sim.service.max_body = 4;
    const char *reply =
        ask("POST /socket.io/", "Origin: https://a.example\r\nContent-Length: 5\r\n");
    assert_starts(reply, "HTTP/1.1 413 ");
    assert_holds(reply, "access-control-allow-origin: https://a.example\r\n");
}

static void test_metrics(void **state)
{
    (void)state;
    ask("GET /healthz", "");
    sim.worker.counters.sessions_opened = 5;
    other_worker.counters.sessions_opened = 3;
    sim.worker.counters.sessions_closed = 1;
    const char *reply = ask("GET /metrics", "");
    assert_holds(reply, "content-type: text/plain; version=0.0.4; charset=utf-8\r\n");
    assert_holds(reply, "# TYPE fray_sessions_opened_total counter\n");
    assert_holds(reply, "\nfray_sessions_opened_total 8\n");
    assert_holds(reply, "\nfray_sessions_open 7\n");
    assert_holds(reply, "\nfray_http_requests_total 2\n");
    assert_holds(reply, "\nfray_build_info{version=\"1.2.3\"} 1\n");
    assert_holds(reply, "\nfray_uptime_seconds 60\n");
    assert_holds(reply, "\nprocess_resident_memory_bytes ");
    assert_lacks(reply, "process_open_fds 0\n");
    assert_int_equal(reply[client.received.len - 1], '\n');
}

static void test_health(void **state)
{
    (void)state;
    assert_answer("GET /healthz", "ok");
    assert_starts(ask("GET /readyz", ""), "HTTP/1.1 503 Service Unavailable\r\n");
    atomic_store(&metrics.is_ready, true);
    assert_answer("GET /readyz", "ok");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sim, close_sim)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_most_specific_wins), TEST(test_wrong_method), TEST(test_options),
        TEST(test_not_found),          TEST(test_coded_bodies), TEST(test_bad_routes_are_refused),
        TEST(test_cors_of_a_list),     TEST(test_cors_of_any),  TEST(test_preflight),
        TEST(test_cors_on_errors),     TEST(test_metrics),      TEST(test_health),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
