/* Passwords as hashes of scrypt (RFC 7914), in the text form of the PHC string format:
 *
 *   NAME:$scrypt$ln=14,r=8,p=1$<salt>$<hash>      base64 without padding
 *
 * `fray passwd NAME` writes such a line. Hashing costs a tenth of a second or so by design: not on
 * a worker's thread. Any thread. */
#ifndef FRAY_SERVER_PASSWORD_H
#define FRAY_SERVER_PASSWORD_H

#include <stdbool.h>

#include "base/buf.h"
#include "fray/err.h"

/* Appends $scrypt$… with a new salt. */
void fray_password_hash(struct fray_slice password, struct fray_buf *out);
/* False also for a hash that makes no sense. */
bool fray_password_verify(struct fray_slice password, struct fray_slice hash);
/* Whether the text is a hash that verify understands. */
bool fray_password_hash_valid(struct fray_slice hash);

/* The command `fray passwd NAME`: one line of standard input is the password, the line for the
 * password file goes to standard output. Returns the exit code. */
int fray_passwd_main(int argc, char **argv);

#endif
