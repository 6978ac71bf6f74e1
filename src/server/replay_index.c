#include "server/replay_index.h"

#include <assert.h>
#include <openssl/rand.h>
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
    json_array_foreach(players, i, player)
    {
        const char *name = json_string_value(json_object_get(player, "name"));
        if (!name || !json_is_null(json_object_get(player, "bot")))
            continue;
        fray_buf_append_slice(&names, fray_slice_of(name));
        FRAY_BUF_LITERAL(&names, "\n");
    }
    fray_buf_append_byte(&names, '\0');
    return names.data;
}

static uint64_t size_of(const json_t *entry, const char *name)
{
    json_int_t size = json_integer_value(json_object_get(entry, name));
    return size > 0 ? (uint64_t)size : 0;
}

/* Rows come from a file that anybody may have edited. */
struct fray_replay_row *fray_replay_row_create(const json_t *entry)
{
    struct fray_replay_row *row = fray_alloc_zero(sizeof *row);
    const char *game = json_string_value(json_object_get(entry, "game"));

    row->started_ms = json_integer_value(json_object_get(entry, "started_ms"));
    row->is_private = json_is_true(json_object_get(entry, "private"));
    row->bytes = size_of(entry, "bytes");
    row->desync_bytes = size_of(entry, "desync_bytes");
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

/* ------------------------------------------------------------------ rows in the order of time */

static struct fray_replay_row **rows_begin(const struct fray_replay_rows *rows)
{
    return rows->items + rows->first;
}

/* How many began before. */
static size_t rows_before(const struct fray_replay_rows *rows, int64_t ms)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows_begin(rows)[middle]->started_ms < ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* False: it is not among them; `at` is where it would go. */
static bool rows_find(const struct fray_replay_rows *rows, const struct fray_replay_row *row,
                      size_t *at)
{
    *at = rows_before(rows, row->started_ms);
    for (; *at < rows->count && rows_begin(rows)[*at]->started_ms == row->started_ms; ++*at) {
        if (rows_begin(rows)[*at] == row)
            return true;
    }
    return false;
}

static void rows_make_room(struct fray_replay_rows *rows)
{
    if (rows->first + rows->count < rows->cap)
        return;
    if (rows->first < rows->count / 2 + 1) {
        rows->cap = rows->cap ? rows->cap * 2 : 4;
        rows->items = fray_realloc(rows->items, rows->cap * sizeof *rows->items);
        return;
    }
    memmove(rows->items, rows_begin(rows), rows->count * sizeof *rows->items);
    rows->first = 0;
}

static void rows_add(struct fray_replay_rows *rows, struct fray_replay_row *row)
{
    size_t at;
    if (rows_find(rows, row, &at)) /* two of a name */
        return;
    rows_make_room(rows);
    struct fray_replay_row **place = rows_begin(rows) + at;
    memmove(place + 1, place, (rows->count - at) * sizeof *place);
    *place = row;
    rows->count++;
}

static void rows_remove(struct fray_replay_rows *rows, const struct fray_replay_row *row)
{
    size_t at;
    if (!rows_find(rows, row, &at))
        return;
    struct fray_replay_row **place = rows_begin(rows) + at;
    rows->count--;
    if (at)
        memmove(place, place + 1, (rows->count - at) * sizeof *place);
    else
        rows->first++;
}

/* ------------------------------------------------------------------ lists */

/* Of a game, of a player, of both, or of neither: all that are shown. */
struct list {
    struct fray_replay_rows rows;
    size_t key_len;
    char key[];
};

static void key_make(struct fray_buf *key, struct fray_slice game, struct fray_slice player)
{
    key->len = 0;
    fray_buf_append_slice(key, game);
    FRAY_BUF_LITERAL(key, "\n");
    fray_buf_append_slice(key, player);
}

static void list_change(struct fray_replay_index *index, struct fray_slice key,
                        struct fray_replay_row *row, bool adds)
{
    struct list *list = fray_name_map_get(&index->lists, key);
    if (!list && adds) {
        list = fray_alloc_zero(sizeof *list + key.len);
        list->key_len = key.len;
        memcpy(list->key, key.data, key.len);
        fray_name_map_add(&index->lists, fray_slice(list->key, list->key_len), list);
    }
    if (adds)
        rows_add(&list->rows, row);
    else if (list)
        rows_remove(&list->rows, row);
    if (!list || list->rows.count)
        return;
    (void)fray_name_map_remove(&index->lists, key);
    free(list->rows.items);
    free(list);
}

static void lists_change(struct fray_replay_index *index, struct fray_replay_row *row, bool adds)
{
    const struct fray_slice none = {0};
    struct fray_buf key = {0};
    size_t len = 0;

    if (row->is_private && !index->shows_private)
        return;
    struct fray_slice game = fray_slice_of(row->game), player = none;
    for (const char *name = row->names;; name += len + 1) {
        key_make(&key, none, player);
        list_change(index, fray_buf_slice(&key), row, adds);
        key_make(&key, game, player);
        list_change(index, fray_buf_slice(&key), row, adds);
        if (!*name)
            break;
        len = strcspn(name, "\n");
        player = fray_slice(name, len);
    }
    fray_buf_deinit(&key);
}

void fray_replay_index_list(const struct fray_replay_index *index,
                            const struct fray_replay_filter *filter, struct fray_buf *out)
{
    const struct fray_replay_rows nothing = {0};
    struct fray_buf key = {0};
    size_t listed = 0, start = out->len;

    key_make(&key, fray_slice_of(filter->game), fray_slice_of(filter->player));
    const struct list *list = fray_name_map_get(&index->lists, fray_buf_slice(&key));
    fray_buf_deinit(&key);
    const struct fray_replay_rows *rows = list ? &list->rows : &nothing;
    size_t left = filter->before_ms ? rows_before(rows, filter->before_ms) : rows->count;
    size_t end = filter->bytes ? start + filter->bytes : SIZE_MAX;
    FRAY_BUF_LITERAL(out, "[");
    while (left-- && listed < filter->limit && out->len < end) {
        if (listed++)
            FRAY_BUF_LITERAL(out, ",");
        fray_buf_append_slice(out, fray_slice_of(rows_begin(rows)[left]->json));
    }
    FRAY_BUF_LITERAL(out, "]");
}

/* ------------------------------------------------------------------ all rows */

static void insert(struct fray_replay_index *index, struct fray_replay_row *row)
{
    rows_add(&index->all, row);
    lists_change(index, row, true);
    index->bytes += row->bytes + row->desync_bytes;
    index->entry_bytes += strlen(row->json);
    fray_name_map_add(&index->by_id, fray_slice_of(row->id), row);
}

static void forget(struct fray_replay_index *index, struct fray_replay_row *row)
{
    char key[KEY_MAX];
    fray_store_remove(index->store, REPLAY, key_write(key, row), false);
    rows_remove(&index->all, row);
    lists_change(index, row, false);
    index->bytes -= row->bytes + row->desync_bytes;
    index->entry_bytes -= strlen(row->json);
    (void)fray_name_map_remove(&index->by_id, fray_slice_of(row->id));
    row_destroy(row);
}

void fray_replay_index_add(struct fray_replay_index *index, struct fray_replay_row *row)
{
    char key[KEY_MAX];
    struct fray_replay_row *old = fray_name_map_get(&index->by_id, fray_slice_of(row->id));
    if (old)
        forget(index, old);
    insert(index, row);
    fray_store_put(index->store, REPLAY, key_write(key, row), fray_slice_of(row->json));
}

const struct fray_replay_row *fray_replay_index_oldest(const struct fray_replay_index *index)
{
    return index->all.count ? fray_replay_index_at(index, 0) : NULL;
}

const struct fray_replay_row *fray_replay_index_at(const struct fray_replay_index *index, size_t i)
{
    return rows_begin(&index->all)[i];
}

void fray_replay_index_remove(struct fray_replay_index *index, struct fray_slice id)
{
    struct fray_replay_row *row = fray_name_map_get(&index->by_id, id);
    if (row)
        forget(index, row);
}

const struct fray_replay_row *fray_replay_index_find(const struct fray_replay_index *index,
                                                     struct fray_slice id)
{
    return fray_name_map_get(&index->by_id, id);
}

/* ------------------------------------------------------------------ opening */

static void on_row(void *context, struct fray_slice key, struct fray_slice value)
{
    struct fray_replay_index *index = context;
    json_t *entry = json_loadb(value.data, value.len, 0, NULL);
    struct fray_replay_row *row = entry ? fray_replay_row_create(entry) : NULL;

    json_decref(entry);
    if (row && !fray_replay_index_find(index, fray_slice_of(row->id)))
        insert(index, row);
    else if (row)
        row_destroy(row);
    else
        fray_store_remove(index->store, REPLAY, key, false);
}

enum fray_err fray_replay_index_open(struct fray_replay_index *index, const char *directory,
                                     bool shows_private, struct fray_buf *error)
{
    struct fray_buf path = {0};

    *index = (struct fray_replay_index){.shows_private = shows_private};
    int ok = RAND_bytes((unsigned char *)&index->lists.key, sizeof index->lists.key);
    assert(ok == 1); /* players choose their names */
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
    for (size_t i = 0; i < index->all.count; i++) {
        lists_change(index, rows_begin(&index->all)[i], false);
        row_destroy(rows_begin(&index->all)[i]);
    }
    free(index->all.items);
    fray_name_map_deinit(&index->by_id);
    fray_name_map_deinit(&index->lists);
    if (index->store)
        fray_store_close(index->store);
    *index = (struct fray_replay_index){0};
}

/* ------------------------------------------------------------------ files */

struct fray_slice fray_replay_file_id(const char *name)
{
    static const struct fray_slice end = {".replay", 7};
    const char *dash = strchr(name, '-');
    size_t len = strlen(name);
    if (!dash || len > FRAY_REPLAY_FILE_MAX || strlen(dash + 1) <= end.len ||
        strcmp(name + len - end.len, end.data) != 0)
        return (struct fray_slice){0};
    struct fray_slice id = {dash + 1, strlen(dash + 1) - end.len};
    return id.len <= FRAY_REPLAY_ID_MAX ? id : (struct fray_slice){0};
}
