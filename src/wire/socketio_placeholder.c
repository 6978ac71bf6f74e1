/* Where attachments belong in a binary packet's JSON.
 *
 * A placeholder's members are both scalars, so its `"_placeholder":true` stands in the innermost
 * bracket that was opened last, and no bracket has closed since. One pass without a stack thus
 * finds them all, in time linear in the text whatever a peer nests. */
#include "wire/json.h"
#include "wire/socketio.h"

/* Takes an integer below `attachments`. */
static bool read_num(struct fray_slice value, unsigned attachments, unsigned *num)
{
    uint64_t result = 0;
    for (size_t i = 0; i < value.len; i++) {
        char digit = value.data[i];
        if (digit < '0' || digit > '9')
            return false;
        result = result * 10 + (uint64_t)(digit - '0');
        if (result >= attachments)
            return false;
    }
    *num = (unsigned)result;
    return value.len > 0;
}

/* Whether the object is {"_placeholder":true,"num":<integer>}, members in either order. */
static bool read_placeholder(struct fray_slice object, unsigned attachments, unsigned *num)
{
    struct fray_json_iter iter = fray_json_iterate(object);
    struct fray_json_item item;
    bool marked = false;
    bool numbered = false;
    while (fray_json_next(&iter, &item)) {
        if (!marked && fray_json_string_equal(item.key, FRAY_SLICE("_placeholder"))) {
            marked = fray_json_kind(item.value) == FRAY_JSON_TRUE;
            if (!marked)
                return false;
        } else if (!numbered && fray_json_string_equal(item.key, FRAY_SLICE("num"))) {
            numbered = read_num(item.value, attachments, num);
            if (!numbered)
                return false;
        } else {
            return false;
        }
    }
    return marked && numbered;
}

/* At a string: takes it, and tells whether it is the name of a member whose value marks a
 * placeholder. That "_placeholder" needs no escapes is no reason for a peer not to write some. */
static bool take_mark(struct fray_slice *rest)
{
    struct fray_slice name = fray_json_take(rest);
    if (name.len < sizeof "\"_placeholder\"" - 1)
        return false;
    struct fray_slice after = fray_json_trim(*rest);
    if (after.len == 0 || after.data[0] != ':')
        return false;
    after = fray_json_trim(fray_slice_skip(after, 1));
    return after.len > 0 && after.data[0] == 't' &&
           fray_json_string_equal(name, FRAY_SLICE("_placeholder"));
}

enum fray_err fray_socketio_placeholder_next(struct fray_slice *json, unsigned attachments,
                                             struct fray_socketio_placeholder *placeholder)
{
    struct fray_slice rest = *json;
    const char *open = NULL;
    while (fray_json_seek_string(&rest, &open)) {
        if (!take_mark(&rest))
            continue;
        if (!open)
            return FRAY_ERR_TYPE;
        struct fray_slice from = fray_slice_skip(*json, (size_t)(open - json->data));
        struct fray_slice object = fray_json_take(&from);
        if (!read_placeholder(object, attachments, &placeholder->num))
            return FRAY_ERR_TYPE;
        placeholder->before = (struct fray_slice){json->data, (size_t)(open - json->data)};
        *json = from;
        return FRAY_OK;
    }
    return FRAY_ERR_NOT_FOUND;
}
