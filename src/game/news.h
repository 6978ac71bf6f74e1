/* An event of a match on its way to clients that take JSON. */
#ifndef FRAY_GAME_NEWS_H
#define FRAY_GAME_NEWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct fray_match_news {
    const char *name;
    uint8_t to;      /* a seat, or FRAY_GAME_NOBODY: all */
    uint8_t about;   /* the seat of its first argument */
    bool is_sighted; /* goes only to who sees the player there (fray_match_sees) */
    bool is_newest;  /* a newer one of the same name about the same seat replaces it */
    bool is_for_all; /* also for who takes no JSON otherwise */
    json_t *content; /* owned */
};

struct fray_match_news_list {
    struct fray_match_news *items;
    uint32_t count, cap;
};

/* The content is taken. */
void fray_match_news_push(struct fray_match_news_list *list, const struct fray_match_news *news);
void fray_match_news_clear(struct fray_match_news_list *list);
void fray_match_news_deinit(struct fray_match_news_list *list);

#endif
