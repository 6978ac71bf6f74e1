/* fray/err.h: the one list of errors that fray's functions return. */
#ifndef FRAY_ERR_H
#define FRAY_ERR_H

#include "fray/api.h"

/* Zero is success, so that `if (err)` reads as it should. */
enum fray_err {
    FRAY_OK = 0,
    FRAY_ERR_AGAIN,       /* not yet: more bytes are needed, or the kernel would block */
    FRAY_ERR_SYNTAX,      /* the bytes break the grammar of their format */
    FRAY_ERR_UTF8,        /* text that is not UTF-8 */
    FRAY_ERR_TYPE,        /* well-formed, but not of the shape that was asked for */
    FRAY_ERR_LIMIT,       /* larger, longer, deeper or more than a configured limit allows */
    FRAY_ERR_STATE,       /* not allowed now */
    FRAY_ERR_NOT_FOUND,   /* no such thing, or no longer */
    FRAY_ERR_EXISTS,      /* taken already */
    FRAY_ERR_DENIED,      /* the peer may not */
    FRAY_ERR_TIMEOUT,     /* nothing came in time */
    FRAY_ERR_CLOSED,      /* the other side is gone */
    FRAY_ERR_IO,          /* the operating system refused; errno says why */
    FRAY_ERR_CONFIG,      /* an option is wrong; a sentence was logged */
    FRAY_ERR_UNSUPPORTED, /* known, and deliberately not done */
};

/* The error's name in lower case, such as "limit". Static storage, never NULL. Any thread. */
FRAY_API const char *fray_err_name(enum fray_err err);

#endif
