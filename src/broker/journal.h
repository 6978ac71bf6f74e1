/* Where the broker tells what has to survive a restart: rows of a few tables, put and removed. The
 * server puts them into its store (store/store.h), all of a turn in one transaction, before the
 * turn's acknowledgements are written. */
#ifndef FRAY_BROKER_JOURNAL_H
#define FRAY_BROKER_JOURNAL_H

#include "base/slice.h"

/* Keys of sessions' rows begin with `client id length 2 | client id`; numbers are big-endian, so
 * that rows come back in order.
 *
 *   table          key                        value
 *   PUBLICATION    id 8                       message
 *   RETAINED       topic                      message
 *   SESSION        client                     expiry, absence, will
 *   SUBSCRIPTION   client | filter            options
 *   DELIVERY       client | sequence 8        publication, packet id, QoS, identifiers
 *   RELEASE        client | packet id 2       (a PUBREL that awaits its PUBCOMP)
 *   RECEIVED       client | packet id 2       (a QoS 2 message that was passed on)
 */
enum fray_journal_table {
    FRAY_JOURNAL_PUBLICATION,
    FRAY_JOURNAL_RETAINED,
    FRAY_JOURNAL_SESSION,
    FRAY_JOURNAL_SUBSCRIPTION,
    FRAY_JOURNAL_DELIVERY,
    FRAY_JOURNAL_RELEASE,
    FRAY_JOURNAL_RECEIVED,
    FRAY_JOURNAL_TABLES,
};

struct fray_journal {
    void (*put)(struct fray_journal *journal, enum fray_journal_table table, struct fray_slice key,
                struct fray_slice value);
    /* The row of that key, or with is_prefix all rows whose keys begin with it. */
    void (*remove)(struct fray_journal *journal, enum fray_journal_table table,
                   struct fray_slice key, bool is_prefix);
};

#endif
