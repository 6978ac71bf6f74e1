#include "fray/err.h"

const char *fray_err_name(enum fray_err err)
{
    switch (err) {
    case FRAY_OK: return "ok";
    case FRAY_ERR_AGAIN: return "again";
    case FRAY_ERR_SYNTAX: return "syntax";
    case FRAY_ERR_UTF8: return "utf8";
    case FRAY_ERR_TYPE: return "type";
    case FRAY_ERR_LIMIT: return "limit";
    case FRAY_ERR_STATE: return "state";
    case FRAY_ERR_NOT_FOUND: return "not_found";
    case FRAY_ERR_EXISTS: return "exists";
    case FRAY_ERR_DENIED: return "denied";
    case FRAY_ERR_TIMEOUT: return "timeout";
    case FRAY_ERR_CLOSED: return "closed";
    case FRAY_ERR_IO: return "io";
    case FRAY_ERR_CONFIG: return "config";
    case FRAY_ERR_UNSUPPORTED: return "unsupported";
    }
    return "unknown";
}
