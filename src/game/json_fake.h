/* For tests: what fray_match_json_state and fray_game_json_state wrote, read again. */
#ifndef FRAY_GAME_JSON_FAKE_H
#define FRAY_GAME_JSON_FAKE_H

#include <assert.h>

#include "game/match.h"

/* Takes the text. */
static inline json_t *fake_json_read(struct fray_buf *text)
{
    json_t *json = json_loadb(text->data, text->len, JSON_REJECT_DUPLICATES, NULL);
    assert(json);
    fray_buf_deinit(text);
    return json;
}

static inline json_t *fake_match_state(struct fray_match *match, uint32_t viewer, uint64_t now_us)
{
    struct fray_game_json_rows rows = {0};
    struct fray_buf text = {0};
    fray_match_json_state(match, viewer, now_us, &rows, &text);
    fray_game_json_rows_deinit(&rows);
    return fake_json_read(&text);
}

#endif
