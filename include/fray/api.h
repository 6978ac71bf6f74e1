/* fray/api.h: what the other headers mark functions with. */
#ifndef FRAY_API_H
#define FRAY_API_H

#if defined(__GNUC__)
#define FRAY_API __attribute__((visibility("default")))
#define FRAY_MUST_CHECK __attribute__((warn_unused_result))
#else
#define FRAY_API
#define FRAY_MUST_CHECK
#endif

#endif
