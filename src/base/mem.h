/* Allocation that cannot fail: it aborts with one line instead. What a peer can make fray allocate
 * is bounded by options, so running out is an operator's limit that no caller could handle better
 * (docs/decisions.md). Any thread. Memory is released with free(). */
#ifndef FRAY_BASE_MEM_H
#define FRAY_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

void *fray_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *fray_alloc_zero(size_t size) __attribute__((malloc, returns_nonnull));
void *fray_realloc(void *memory, size_t size) __attribute__((returns_nonnull));
char *fray_strndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));

#endif
