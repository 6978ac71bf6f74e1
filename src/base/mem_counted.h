/* For tests that count allocations: include it in one file of the test program, which
 * tests/meson.build lists among the counting tests, so that every call of these three comes here.
 */
#ifndef FRAY_BASE_MEM_COUNTED_H
#define FRAY_BASE_MEM_COUNTED_H

#include <stddef.h>

static size_t allocations; /* since the program began */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    allocations++;
    return __real_realloc(memory, size);
}

#endif
