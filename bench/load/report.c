#include "report.h"

#include <stdio.h>

#include "bench.h"
#include "client.h"
#include "workload.h"

static double per(double amount, double count)
{
    return count > 0 ? amount / count : 0;
}

static double seconds_of(const struct measurement *measurement)
{
    return (double)(measurement->ended_ns - measurement->begun_ns) / 1e9;
}

static double cpu_us_of(const struct measurement *measurement)
{
    return (double)(measurement->server_after.cpu_ns - measurement->server_before.cpu_ns) / 1e3;
}

/* Its thread that works most bounds what the server can do: delivered by its seconds, that is what
 * would be in a second in which this thread never waits. */
static double busiest_s_of(const struct measurement *measurement)
{
    return (double)process_busiest_ns(&measurement->server_before, &measurement->server_after) /
           1e9;
}

static void print_handshakes(const struct bench *bench)
{
    const struct measurement *connect = &bench->connect;
    double rss = (double)connect->server_after.rss_bytes - (double)connect->server_before.rss_bytes;
    printf(" handshakes_per_s=%.0f cpu_us_per_handshake=%.2f",
           per(bench->ready, seconds_of(connect)), per(cpu_us_of(connect), bench->ready));
    printf(" handshake_p50_us=%llu handshake_p99_us=%llu",
           (unsigned long long)histogram_percentile(&bench->handshakes, 0.5),
           (unsigned long long)histogram_percentile(&bench->handshakes, 0.99));
    if (!bench->options.workload->is_storm)
        printf(" rss_per_connection=%.0f", per(rss, bench->ready));
}

static void print_messages(const struct bench *bench)
{
    const struct measurement *load = &bench->load;
    double seconds = seconds_of(load), delivered = (double)load->delivered;
    printf(" cpu_us_per_message=%.3f sent_per_s=%.0f delivered_per_s=%.0f",
           per(cpu_us_of(load), delivered), (double)load->sent / seconds, delivered / seconds);
    printf(" bytes_per_message=%.1f request_bytes_per_message=%.1f bytes_per_client_per_s=%.0f",
           per((double)load->bytes_in, delivered), per((double)load->bytes_out, delivered),
           (double)load->bytes_in / seconds / bench->clients_count);
    printf(" capacity_per_s=%.0f", per(delivered, busiest_s_of(load)));
    printf(" p50_us=%llu p99_us=%llu max_us=%llu",
           (unsigned long long)histogram_percentile(&bench->latency, 0.5),
           (unsigned long long)histogram_percentile(&bench->latency, 0.99),
           (unsigned long long)bench->latency.max_us);
}

/* How busy both sides were. Where the generator's is near 1, it was the limit. */
static void print_utilization(const struct measurement *load)
{
    double user = (double)(load->server_after.user_ms - load->server_before.user_ms);
    double kernel = (double)(load->server_after.kernel_ms - load->server_before.kernel_ms);
    double wall_ns = (double)(load->ended_ns - load->begun_ns);
    printf(" server_utilization=%.2f generator_utilization=%.2f server_user_fraction=%.2f",
           cpu_us_of(load) * 1e3 / wall_ns,
           (double)(load->generator_cpu_after_ns - load->generator_cpu_before_ns) / wall_ns,
           per(user, user + kernel));
}

void report_print(const struct bench *bench)
{
    const struct options *options = &bench->options;
    printf("workload=%s protocol=%s clients=%u ready=%u lost=%u", options->workload->name,
           options->protocol->name, bench->clients_count, bench->ready, bench->lost);
    print_handshakes(bench);
    if (!options->workload->is_storm && !options->workload->is_idle)
        print_messages(bench);
    print_utilization(options->workload->is_storm ? &bench->connect : &bench->load);
    printf("\n");
}
