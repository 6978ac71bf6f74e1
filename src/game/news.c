#include "game/news.h"

#include "base/mem.h"

void fray_match_news_push(struct fray_match_news_list *list, const struct fray_match_news *news)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 16;
        list->items = fray_realloc(list->items, list->cap * sizeof *list->items);
    }
    list->items[list->count++] = *news;
}

void fray_match_news_clear(struct fray_match_news_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        json_decref(list->items[i].content);
    list->count = 0;
}

void fray_match_news_deinit(struct fray_match_news_list *list)
{
    fray_match_news_clear(list);
    free(list->items);
    *list = (struct fray_match_news_list){0};
}
