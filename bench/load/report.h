/* What was measured, as one line of key=value on standard output. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

struct bench;

void report_print(const struct bench *bench);

#endif
