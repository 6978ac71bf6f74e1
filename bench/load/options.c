#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "workload.h"

static const char usage[] =
    "usage: load --protocol socketio|polling|websocket|mqtt --workload NAME --port PORT "
    "[OPTION...]\n"
    "workloads:\n"
    "  broadcast  one sender, --clients receivers\n"
    "  arena      --clients players, each moves --rate times a second, each is told to all\n"
    "  echo       --clients players, each sends again when it was answered\n"
    "  pairs      --clients publishers with one subscriber each (mqtt)\n"
    "  idle       --clients connections that say nothing\n"
    "  storm      --clients handshakes, --concurrency at a time, each closed at once\n"
    "options (default):\n"
    "  --server-pid PID     whose CPU time and memory to measure\n"
    "  --clients N (100)  --rate PER_SECOND (100)  --window MESSAGES (0: by rate)  --burst N (1)\n"
    "  --size BYTES (100)  --qos 0..2 (0)  --concurrency N (64)  --path /PATH\n"
    "  --input-rate PER_SECOND (0)  small messages for the server from each receiver (not mqtt)\n"
    "  --seconds S (3)  --warmup-seconds S (1)\n";

enum option_id {
    PROTOCOL = 1,
    WORKLOAD,
    PORT,
    SERVER_PID,
    CLIENTS,
    RATE,
    INPUT_RATE,
    WINDOW,
    BURST,
    SIZE,
    QOS,
    CONCURRENCY,
    PATH,
    SECONDS,
    WARMUP_SECONDS,
};

static const struct option long_options[] = {
    {"protocol", required_argument, NULL, PROTOCOL},
    {"workload", required_argument, NULL, WORKLOAD},
    {"port", required_argument, NULL, PORT},
    {"server-pid", required_argument, NULL, SERVER_PID},
    {"clients", required_argument, NULL, CLIENTS},
    {"rate", required_argument, NULL, RATE},
    {"input-rate", required_argument, NULL, INPUT_RATE},
    {"window", required_argument, NULL, WINDOW},
    {"burst", required_argument, NULL, BURST},
    {"size", required_argument, NULL, SIZE},
    {"qos", required_argument, NULL, QOS},
    {"concurrency", required_argument, NULL, CONCURRENCY},
    {"path", required_argument, NULL, PATH},
    {"seconds", required_argument, NULL, SECONDS},
    {"warmup-seconds", required_argument, NULL, WARMUP_SECONDS},
    {NULL, 0, NULL, 0},
};

static _Noreturn void fail(const char *reason)
{
    fprintf(stderr, "load: %s\n%s", reason, usage);
    exit(2);
}

static unsigned count(const char *text, unsigned most)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end || value > most)
        fail("a number is wrong");
    return (unsigned)value;
}

static double real(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0))
        fail("a number is wrong");
    return value;
}

static void set(struct options *options, enum option_id id, const char *value)
{
    switch (id) {
    case PROTOCOL: options->protocol = protocol_find(value); break;
    case WORKLOAD: options->workload = workload_find(value); break;
    case PORT: options->port = (uint16_t)count(value, UINT16_MAX); break;
    case SERVER_PID: options->server_pid = (pid_t)count(value, 1u << 30); break;
    case CLIENTS: options->clients = count(value, 10000000); break;
    case RATE: options->rate = real(value); break;
    case INPUT_RATE: options->input_rate = real(value); break;
    case WINDOW: options->window = count(value, 1000000); break;
    case BURST: options->burst = count(value, 1000000); break;
    case SIZE: options->size = count(value, 1 << 20); break;
    case QOS: options->qos = count(value, 2); break;
    case CONCURRENCY: options->concurrency = count(value, 1000000); break;
    case PATH: options->path = value; break;
    case SECONDS: options->seconds = real(value); break;
    case WARMUP_SECONDS: options->warmup_seconds = real(value); break;
    }
}

struct options options_parse(int argc, char **argv)
{
    struct options options = {
        .rate = 100,
        .seconds = 3,
        .warmup_seconds = 1,
        .clients = 100,
        .burst = 1,
        .size = 100,
        .concurrency = 64,
    };
    for (int id; (id = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (id == '?')
            fail("an option is unknown or lacks its value");
        set(&options, (enum option_id)id, optarg);
    }
    if (optind != argc || !options.protocol || !options.workload || !options.port)
        fail("--protocol, --workload and --port must be given");
    if (!options.clients || !options.burst || !options.concurrency || !(options.rate > 0))
        fail("clients, burst, concurrency and rate must be above 0");
    if (options.input_rate > 0 && options.protocol == &protocol_mqtt)
        fail("on mqtt, whatever is sent is for somebody");
    return options;
}
