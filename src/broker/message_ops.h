/* How the broker holds on to a message that it cannot look into. The caller's refcounts are per
 * worker; the broker takes one reference for each place that it keeps a message in. */
#ifndef FRAY_BROKER_MESSAGE_OPS_H
#define FRAY_BROKER_MESSAGE_OPS_H

struct fray_message_ops {
    void (*ref)(void *message);
    void (*unref)(void *message);
};

#endif
