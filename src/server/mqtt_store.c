#include "server/mqtt_store.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"

enum { RETRY_MS = 1000 };

/* In the order of enum fray_journal_table. */
static const char *const tables[FRAY_JOURNAL_TABLES] = {
    "mqtt_publication", "mqtt_retained", "mqtt_session",  "mqtt_subscription",
    "mqtt_delivery",    "mqtt_release",  "mqtt_received",
};

struct fray_mqtt_store {
    struct fray_journal journal; /* first */
    struct fray_store *store;
    struct fray_mqtt_config *mqtt;
    struct fray_timer retry; /* armed while the disk takes nothing */
    size_t stuck;            /* bytes of changes that it did not take */
};

static void on_put(struct fray_journal *journal, enum fray_journal_table table,
                   struct fray_slice key, struct fray_slice value)
{
    fray_store_put(((struct fray_mqtt_store *)journal)->store, table, key, value);
}

static void on_remove(struct fray_journal *journal, enum fray_journal_table table,
                      struct fray_slice key, bool is_prefix)
{
    fray_store_remove(((struct fray_mqtt_store *)journal)->store, table, key, is_prefix);
}

/* ------------------------------------------------------------------ committing */

/* At a retry nobody waits for an answer of this turn; those who spoke meanwhile in it are cut too.
 */
static void fail(struct fray_mqtt_store *self)
{
    struct fray_worker *worker = self->mqtt->broker->worker;
    if (!self->mqtt->is_read_only)
        fray_log(FRAY_LOG_ERROR, "store_failed", "reason=%s", fray_store_error(self->store));
    self->mqtt->is_read_only = true;
    self->stuck = fray_store_queued(self->store);
    fray_mqtt_cut_unacknowledged(worker);
    if (!fray_timer_is_armed(&self->retry))
        fray_timer_arm(worker->timers, &self->retry, *worker->now_us + RETRY_MS * UINT64_C(1000));
}

static void commit(struct fray_mqtt_store *self)
{
    if (fray_store_commit(self->store)) {
        fail(self);
    } else if (self->mqtt->is_read_only) {
        self->mqtt->is_read_only = false;
        fray_log(FRAY_LOG_INFO, "store_recovered", "");
    }
}

static void on_retry(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    commit((struct fray_mqtt_store *)((char *)timer - offsetof(struct fray_mqtt_store, retry)));
}

void fray_mqtt_store_commit(struct fray_mqtt_store *self)
{
    fray_broker_record(self->mqtt->broker);
    if (!self->mqtt->is_read_only) {
        commit(self);
    } else if (fray_store_queued(self->store) > self->stuck) {
        self->stuck = fray_store_queued(self->store);
        fray_mqtt_cut_unacknowledged(self->mqtt->broker->worker);
    } /* else nothing of this turn had to be kept */
}

/* ------------------------------------------------------------------ life */

struct loading {
    struct fray_broker *broker;
    enum fray_journal_table table;
    uint64_t rows, failed;
};

static void on_row(void *context, struct fray_slice key, struct fray_slice value)
{
    struct loading *loading = context;
    loading->rows++;
    if (fray_broker_load(loading->broker, loading->table, key, value))
        loading->failed++;
}

static enum fray_err load(struct fray_mqtt_store *self, struct fray_broker *broker)
{
    struct loading loading = {.broker = broker};
    for (int table = 0; table < FRAY_JOURNAL_TABLES; table++) {
        loading.table = (enum fray_journal_table)table;
        enum fray_err err = fray_store_each(self->store, (unsigned)table, on_row, &loading);
        if (err)
            return err;
    }
    fray_broker_loaded(broker);
    fray_log(loading.failed ? FRAY_LOG_WARN : FRAY_LOG_INFO, "store_loaded",
             "rows=%llu passed_over=%llu sessions=%u retained=%u", (unsigned long long)loading.rows,
             (unsigned long long)loading.failed, broker->sessions.count,
             fray_retained_count(&broker->retained));
    return FRAY_OK;
}

enum fray_err fray_mqtt_store_open(const struct fray_config *config, struct fray_mqtt_config *mqtt,
                                   struct fray_mqtt_store **result, struct fray_buf *error)
{
    struct fray_buf path = {0};
    if (mkdir(config->data, 0700) && errno != EEXIST) {
        fray_buf_printf(error, "The directory %s cannot be made: %s. Choose another with --data.",
                        config->data, strerror(errno));
        return FRAY_ERR_IO;
    }
    struct fray_mqtt_store *self = fray_alloc_zero(sizeof *self);
    self->journal = (struct fray_journal){on_put, on_remove};
    self->mqtt = mqtt;
    self->retry.on_expire = on_retry;
    fray_buf_printf(&path, "%s/fray.db", config->data);
    fray_buf_append_byte(&path, '\0');
    enum fray_err err = fray_store_open(
        path.data, tables, FRAY_JOURNAL_TABLES,
        config->mqtt_store_sync ? FRAY_STORE_FULL : FRAY_STORE_NORMAL, &self->store, error);
    if (!err) {
        mqtt->broker->journal = &self->journal;
        err = load(self, mqtt->broker);
        if (err)
            fray_buf_printf(error, "%s cannot be read: %s.", path.data,
                            fray_store_error(self->store));
    }
    fray_buf_deinit(&path);
    *result = self;
    return err;
}

void fray_mqtt_store_close(struct fray_mqtt_store *self)
{
    if (!self)
        return;
    if (self->store) {
        fray_broker_record(self->mqtt->broker);
        if (fray_store_commit(self->store))
            fray_log(FRAY_LOG_ERROR, "store_failed", "reason=%s", fray_store_error(self->store));
        fray_store_close(self->store);
    }
    fray_timer_cancel(self->mqtt->broker->worker->timers, &self->retry);
    self->mqtt->broker->journal = NULL;
    free(self);
}
