#include "base/mem.h"

#include <string.h>

#include "base/panic.h"

static void *check(void *memory, size_t size)
{
    if (!memory)
        fray_panic("out_of_memory bytes=%zu", size);
    return memory;
}

void *fray_alloc(size_t size)
{
    return check(malloc(size ? size : 1), size);
}

void *fray_alloc_zero(size_t size)
{
    return check(calloc(1, size ? size : 1), size);
}

void *fray_realloc(void *memory, size_t size)
{
    return check(realloc(memory, size ? size : 1), size);
}

char *fray_strndup(const char *text, size_t len)
{
    char *copy = fray_alloc(len + 1);
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}
