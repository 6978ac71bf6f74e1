/* Page faults at start instead of in front of the first clients: each part of the program and its
 * libraries that a first connection runs through would cost it a fault, a hundred in all. */
#ifndef FRAY_SERVER_PREFAULT_H
#define FRAY_SERVER_PREFAULT_H

/* Maps what is executable of the process. Best effort: a kernel before 5.14 cannot, and nothing is
 * lost. Any thread. */
void fray_prefault_code(void);

#endif
