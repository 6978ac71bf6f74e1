/* Any bytes: validated, and walked whatever the verdict. Valid ones: every value that the walk
 * finds is itself valid, and every string survives being unescaped and written again. */
#include <assert.h>
#include <stdint.h>

#include "wire/json.h"
#include "wire/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_string(struct fray_slice value)
{
    struct fray_buf scratch = {0};
    struct fray_buf again = {0};
    struct fray_slice text = fray_json_string_text(value, &scratch);
    assert(fray_utf8_valid(text));
    assert(fray_json_string_equal(value, text));
    fray_json_write_string(&again, text);
    assert(fray_json_validate(fray_buf_slice(&again), 0) == FRAY_OK);
    assert(fray_json_string_equal(fray_buf_slice(&again), text));
    fray_buf_deinit(&again);
    fray_buf_deinit(&scratch);
}

static void check_value(struct fray_slice value, unsigned depth)
{
    assert(fray_json_validate(value, depth) == FRAY_OK);
    assert(fray_json_trim(value).len == value.len);
    if (fray_json_kind(value) == FRAY_JSON_STRING)
        check_string(value);
    struct fray_json_iter iter = fray_json_iterate(value);
    struct fray_json_item item;
    while (fray_json_next(&iter, &item)) {
        if (iter.object) {
            struct fray_slice found;
            check_string(item.key);
            if (!fray_json_string_escaped(item.key))
                assert(
                    fray_json_find(value, fray_slice(item.key.data + 1, item.key.len - 2), &found));
        }
        check_value(item.value, depth - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { DEPTH = 8 };
    struct fray_slice text = fray_slice(data, size);
    struct fray_json_iter iter = fray_json_iterate(text);
    struct fray_json_item item;
    struct fray_buf scratch = {0};
    while (fray_json_next(&iter, &item)) {
        scratch.len = 0;
        (void)fray_json_string_text(item.value, &scratch);
        (void)fray_json_string_equal(item.key, FRAY_SLICE("key"));
        (void)fray_json_rest(&iter);
    }
    fray_buf_deinit(&scratch);
    if (fray_json_validate(text, DEPTH) == FRAY_OK)
        check_value(fray_json_trim(text), DEPTH);
    return 0;
}
