#include "room/log.h"

#include "base/mem.h"

enum { TARGET_ROOMS = sizeof((struct fray_target *)0)->rooms / sizeof(const char *) };

static void copy_names(const char *to[], const char *const from[])
{
    for (size_t i = 0; i < TARGET_ROOMS && from[i]; i++)
        to[i] = fray_strndup(from[i], strlen(from[i]));
}

static struct fray_target *copy_target(const struct fray_target *target)
{
    if (!target || (!target->rooms[0] && !target->except_rooms[0]))
        return NULL;
    struct fray_target *copy = fray_alloc_zero(sizeof *copy);
    copy_names(copy->rooms, target->rooms);
    copy_names(copy->except_rooms, target->except_rooms);
    return copy;
}

static void drop_entry(struct fray_log_entry *entry)
{
    fray_message_unref(entry->message);
    for (size_t i = 0; entry->target && i < TARGET_ROOMS; i++) {
        free((char *)entry->target->rooms[i]);
        free((char *)entry->target->except_rooms[i]);
    }
    free(entry->target);
}

void fray_message_log_init(struct fray_message_log *log, uint32_t max_messages, uint64_t max_age_us)
{
    *log = (struct fray_message_log){
        .first = 1, .next = 1, .cap = max_messages, .max_age_us = max_age_us};
    if (max_messages)
        log->entries = fray_alloc(max_messages * sizeof *log->entries);
}

static void drop_first(struct fray_message_log *log)
{
    struct fray_log_entry *entry = &log->entries[log->first % log->cap];
    log->bytes -= fray_message_size(entry->message);
    drop_entry(entry);
    log->first++;
}

void fray_message_log_deinit(struct fray_message_log *log)
{
    while (log->first < log->next)
        drop_first(log);
    free(log->entries);
    log->entries = NULL;
}

void fray_message_log_add(struct fray_message_log *log, struct fray_message *message,
                          const struct fray_log_entry *whom, uint64_t now_us)
{
    size_t size = fray_message_size(message);
    while (log->first < log->next &&
           (log->next - log->first == log->cap ||
            (log->max_bytes && log->bytes + size > log->max_bytes) ||
            now_us - log->entries[log->first % log->cap].at_us > log->max_age_us))
        drop_first(log);
    log->bytes += size;
    message->offset = log->next++;
    log->entries[message->offset % log->cap] = (struct fray_log_entry){
        .message = fray_message_ref(message),
        .at_us = now_us,
        .only = whom->only,
        .except = whom->except,
        .target = copy_target(whom->target),
    };
}

const struct fray_log_entry *fray_message_log_at(const struct fray_message_log *log,
                                                 uint64_t position)
{
    if (position < log->first || position >= log->next)
        return NULL;
    return &log->entries[position % log->cap];
}
