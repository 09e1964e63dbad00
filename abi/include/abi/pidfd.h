/*
 * Descriptors of processes, as Linux 6.1 has them.
 */
#ifndef ABI_PIDFD_H
#define ABI_PIDFD_H

#include <abi/fcntl.h>

#define PIDFD_NONBLOCK O_NONBLOCK /* waitid does not wait for it */

#endif
