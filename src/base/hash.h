/* SipHash-1-3: a keyed hash for tables whose keys peers choose (Aumasson and Bernstein, 2012).
 * Pure. */
#ifndef FRAY_BASE_HASH_H
#define FRAY_BASE_HASH_H

#include <stdint.h>

#include "base/slice.h"

struct fray_hash_key {
    uint64_t k0, k1; /* unpredictable where peers choose what is hashed; else any */
};

uint64_t fray_hash(struct fray_hash_key key, struct fray_slice bytes);

#endif
