/*
 * Descriptors of processes, as Linux 6.1 has them, and of threads, as later ones do.
 */
#ifndef ABI_PIDFD_H
#define ABI_PIDFD_H

#include <abi/fcntl.h>

#define PIDFD_NONBLOCK O_NONBLOCK /* waitid does not wait for it */
#define PIDFD_THREAD   O_EXCL     /* of one thread, any */

/* pidfd_send_signal: whom it is for, whatever the descriptor is of. At most one. */
#define PIDFD_SIGNAL_THREAD        (1u << 0)
#define PIDFD_SIGNAL_THREAD_GROUP  (1u << 1)
#define PIDFD_SIGNAL_PROCESS_GROUP (1u << 2) /* that it leads */

#endif
