/* The end of a program that broke the contract of a function: one line, then abort. For faults of
 * the application or our own that only their author can mend; nothing that a peer sends may lead
 * here. Any thread. */
#ifndef FRAY_BASE_PANIC_H
#define FRAY_BASE_PANIC_H

/* Writes `error <format…>` to standard error. */
_Noreturn void fray_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
