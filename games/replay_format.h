/* Private to replay.c and replay_writer.c: the numbers of the format that replay.h draws. */
#ifndef FRAY_GAMES_REPLAY_FORMAT_H
#define FRAY_GAMES_REPLAY_FORMAT_H

#include "replay.h"

#define RECORD_MAGIC "FRPL"

enum { RECORD_MAGIC_LEN = 4, RECORD_KIND_BITS = 3, REWIND_UNIT = 256, TIME_ORDER = 9 };

enum record_kind {
    RECORD_RUN,
    RECORD_STEP,
    RECORD_WHO,
    RECORD_JOIN,
    RECORD_LEAVE,
    RECORD_HASH,
    RECORD_END,
};

static inline struct fray_replay_text fray_replay_text_of(const char *text)
{
    uint8_t len = 0;

    while (len < 255 && text[len])
        len++;
    return (struct fray_replay_text){text, len};
}

#endif
