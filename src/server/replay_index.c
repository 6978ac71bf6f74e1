#include "server/replay_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const tables[] = {"replay"};

enum { REPLAY, KEY_MAX = 20 + FRAY_REPLAY_ID_MAX + 2 };

/* Keys are in the order of time. */
static struct fray_slice key_write(char key[KEY_MAX], const struct fray_replay_row *row)
{
    int len = snprintf(key, KEY_MAX, "%020lld %s", (long long)row->started_ms, row->id);
    return fray_slice(key, (size_t)len);
}

static void row_destroy(struct fray_replay_row *row)
{
    free(row->game);
    free(row->names);
    free(row->json);
    free(row);
}

/* ------------------------------------------------------------------ entries */

static bool copy_text(char *to, size_t size, const json_t *entry, const char *name)
{
    const json_t *text = json_object_get(entry, name);
    size_t len = json_string_length(text);
    if (!json_is_string(text) || !len || len >= size)
        return false;
    memcpy(to, json_string_value(text), len + 1);
    return true;
}

static char *names_of(const json_t *entry)
{
    const json_t *players = json_object_get(entry, "players"), *player;
    struct fray_buf names = {0};
    size_t i;
    FRAY_BUF_LITERAL(&names, "\n");
    json_array_foreach(players, i, player)
    {
        fray_buf_append_slice(&names,
                              fray_slice_of(json_string_value(json_object_get(player, "name"))));
        FRAY_BUF_LITERAL(&names, "\n");
    }
    fray_buf_append_byte(&names, '\0');
    return names.data;
}

/* Rows come from a file that anybody may have edited. */
static struct fray_replay_row *row_of(const json_t *entry)
{
    struct fray_replay_row *row = fray_alloc_zero(sizeof *row);
    const char *game = json_string_value(json_object_get(entry, "game"));
    json_int_t bytes = json_integer_value(json_object_get(entry, "bytes"));

    row->started_ms = json_integer_value(json_object_get(entry, "started_ms"));
    row->is_private = json_is_true(json_object_get(entry, "private"));
    row->bytes = bytes > 0 ? (uint64_t)bytes : 0;
    bool is_good = game && copy_text(row->id, sizeof row->id, entry, "id") &&
                   copy_text(row->file, sizeof row->file, entry, "file") &&
                   !strchr(row->file, '/') && row->file[0] != '.';
    if (!is_good) {
        free(row);
        return NULL;
    }
    row->game = fray_strndup(game, strlen(game));
    row->names = names_of(entry);
    row->json = json_dumps(entry, JSON_COMPACT);
    return row;
}

/* ------------------------------------------------------------------ rows */

static void rows_insert(struct fray_replay_index *index, struct fray_replay_row *row)
{
    if (index->count == index->cap) {
        index->cap = index->cap ? index->cap * 2 : 64;
        index->rows = fray_realloc(index->rows, index->cap * sizeof *index->rows);
    }
    size_t at = index->count;
    while (at && index->rows[at - 1]->started_ms > row->started_ms)
        at--;
    memmove(&index->rows[at + 1], &index->rows[at], (index->count - at) * sizeof *index->rows);
    index->rows[at] = row;
    index->count++;
    index->bytes += row->bytes;
    fray_name_map_add(&index->by_id, fray_slice_of(row->id), row);
}

static void rows_remove(struct fray_replay_index *index, struct fray_replay_row *row)
{
    size_t at = 0;
    while (index->rows[at] != row)
        at++;
    index->count--;
    memmove(&index->rows[at], &index->rows[at + 1], (index->count - at) * sizeof *index->rows);
    index->bytes -= row->bytes;
    (void)fray_name_map_remove(&index->by_id, fray_slice_of(row->id));
    row_destroy(row);
}

static void forget(struct fray_replay_index *index, struct fray_replay_row *row)
{
    char key[KEY_MAX];
    fray_store_remove(index->store, REPLAY, key_write(key, row), false);
    rows_remove(index, row);
}

bool fray_replay_index_add(struct fray_replay_index *index, const json_t *entry)
{
    struct fray_replay_row *row = row_of(entry);
    char key[KEY_MAX];

    if (!row)
        return false;
    struct fray_replay_row *old = fray_name_map_get(&index->by_id, fray_slice_of(row->id));
    if (old)
        forget(index, old);
    rows_insert(index, row);
    fray_store_put(index->store, REPLAY, key_write(key, row), fray_slice_of(row->json));
    return true;
}

void fray_replay_index_remove_oldest(struct fray_replay_index *index)
{
    forget(index, index->rows[0]);
}

const struct fray_replay_row *fray_replay_index_find(const struct fray_replay_index *index,
                                                     struct fray_slice id)
{
    return fray_name_map_get(&index->by_id, id);
}

bool fray_replay_index_has_file(const struct fray_replay_index *index, const char *file)
{
    for (size_t i = 0; i < index->count; i++) {
        if (strcmp(index->rows[i]->file, file) == 0)
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ lists */

static bool has_player(const struct fray_replay_row *row, const char *player)
{
    size_t len = strlen(player);
    for (const char *at = row->names; (at = strchr(at, '\n')) && at[1]; at++) {
        if (strncmp(at + 1, player, len) == 0 && at[1 + len] == '\n')
            return true;
    }
    return false;
}

void fray_replay_index_list(const struct fray_replay_index *index,
                            const struct fray_replay_filter *filter, struct fray_buf *out)
{
    size_t listed = 0;

    FRAY_BUF_LITERAL(out, "[");
    for (size_t i = index->count; i-- && listed < filter->limit;) {
        const struct fray_replay_row *row = index->rows[i];
        if ((row->is_private && !filter->has_private) ||
            (filter->game && strcmp(filter->game, row->game) != 0) ||
            (filter->before_ms && row->started_ms >= filter->before_ms) ||
            (filter->player && !has_player(row, filter->player)))
            continue;
        if (listed++)
            FRAY_BUF_LITERAL(out, ",");
        fray_buf_append_slice(out, fray_slice_of(row->json));
    }
    FRAY_BUF_LITERAL(out, "]");
}

/* ------------------------------------------------------------------ opening */

static void on_row(void *context, struct fray_slice key, struct fray_slice value)
{
    struct fray_replay_index *index = context;
    json_t *entry = json_loadb(value.data, value.len, 0, NULL);
    struct fray_replay_row *row = entry ? row_of(entry) : NULL;

    json_decref(entry);
    if (row && !fray_replay_index_find(index, fray_slice_of(row->id)))
        rows_insert(index, row);
    else if (row)
        row_destroy(row);
    else
        fray_store_remove(index->store, REPLAY, key, false);
}

enum fray_err fray_replay_index_open(struct fray_replay_index *index, const char *directory,
                                     struct fray_buf *error)
{
    struct fray_buf path = {0};

    *index = (struct fray_replay_index){0};
    fray_buf_printf(&path, "%s/index.db", directory);
    fray_buf_append_byte(&path, '\0');
    enum fray_err err =
        fray_store_open(path.data, tables, 1, FRAY_STORE_SHARED, &index->store, error);
    if (!err) {
        err = fray_store_each(index->store, REPLAY, on_row, index);
        if (err)
            fray_buf_printf(error, "%s cannot be read.", path.data);
    }
    fray_buf_deinit(&path);
    return err;
}

void fray_replay_index_close(struct fray_replay_index *index)
{
    for (size_t i = 0; i < index->count; i++)
        row_destroy(index->rows[i]);
    free(index->rows);
    fray_name_map_deinit(&index->by_id);
    if (index->store)
        fray_store_close(index->store);
    *index = (struct fray_replay_index){0};
}
