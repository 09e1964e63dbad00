/*
 * Every lock class and the order in which locks may be taken: outermost first. A lock of a later
 * class may be taken while one of an earlier class is held, never the other way, and never two of
 * one class unless the class says how they are ordered. Debug builds check it (lib/lockorder.h).
 * Sleeping locks stand before all spinlocks.
 */
#ifndef LIB_LOCKCLASS_H
#define LIB_LOCKCLASS_H

enum lock_class {
	/* ---- sleeping locks ---- */
	LOCK_KSH,       /* ksh's job table */
	LOCK_CLOCKSET,  /* setting the time of day: one at a time */
	LOCK_DAYTIMERS, /* the descriptors that go by it */
	LOCK_PROCESS,   /* a process: its threads and children; parent before child */
	LOCK_FILE,      /* the position of an open file */
	LOCK_APPEND,    /* who writes at the end of a driver's file */
	LOCK_RECORDS,   /* who has locked which parts of files */
	LOCK_FSCONTEXT, /* what a filesystem is to be, before it is mounted */
	LOCK_CUSE,      /* which character devices programs serve */
	LOCK_MOUNT,     /* the mount tree; inside of a file's, since /proc/mounts is read */
	LOCK_DIRECTORY, /* changes of a directory's names; ancestors first, else lower address first
			 */
	LOCK_IDMAP,     /* the maps of user namespaces; inside of the file that is written */
	LOCK_TIMESHIFT, /* what the clocks of time namespaces are ahead; as the maps */
	LOCK_NODE,      /* a node's data and attributes */
	LOCK_SCREEN,    /* the picture that is being drawn */
	LOCK_TTY_INPUT, /* a terminal's way in: one device's bytes at a time */
	LOCK_TTY,       /* a terminal's way out, an output stream of exec: one piece at a time */
	LOCK_CHANNEL,   /* the exec channel's status frames: one at a time */
	LOCK_SYSLOG,    /* how far syslog(2) has read the log */
	LOCK_STREAM,    /* the bytes in a pipe, the receiving end of a socket */
	LOCK_FLIGHT,    /* which objects are on their way through sockets */
	LOCK_NOTIFY,    /* who watches which files, and what is to be told */
	LOCK_LEASE,     /* who holds leases on files */
	LOCK_SPACE,     /* an address space's regions */
	LOCK_UNDO,      /* what semaphores get back when a process ends */
	LOCK_SYSVS,     /* which segments, sets or queues of System V there are */
	LOCK_SYSV,      /* one of them: its state and its waiters */
	LOCK_PAGES,     /* the list of files that have pages in the cache */
	LOCK_OBJECT,    /* a memory object's pages */
	LOCK_NESTING,   /* which epoll watches which */
	LOCK_EPOLL,     /* an epoll's entries; the one inside another's by trylock alone */
	LOCK_SELFTEST,  /* sleeping locks of the self-tests */
	/* ---- spinlocks ---- */
	LOCK_FDTABLE,   /* a descriptor table's changes (readers use RCU) */
	LOCK_ASYNC,     /* who is signalled about an object */
	LOCK_PIDTABLE,  /* the PID table's changes (readers use RCU) */
	LOCK_PLACE,     /* root and working directory that threads share */
	LOCK_MOUNTUSE,  /* the references of mounts that stand nowhere */
	LOCK_DENTRY,    /* the name cache */
	LOCK_CHANGED,   /* which files have pages that their servers have not seen */
	LOCK_TOLD,      /* which missing system calls the log has named */
	LOCK_UNAME,     /* what the machine is called, and core files */
	LOCK_SNAPSHOT,  /* which text an open file of /proc has */
	LOCK_FUTEX,     /* those who wait on a futex; two: lower address first */
	LOCK_PI,        /* futexes whose owners inherit priorities */
	LOCK_SIGNAL,    /* pending signals of a process, its list of threads */
	LOCK_ACTIONS,   /* what a process does about signals */
	LOCK_MAPPED,    /* where a file's pages are mapped */
	LOCK_PARKING,   /* whose page tables are parked when it sleeps */
	LOCK_WATCHES,   /* an object's entries in epolls */
	LOCK_TIMERFD,   /* a timer that is a descriptor */
	LOCK_TIMESTART, /* the start of a POSIX timer, by its own process or the watched one */
	LOCK_NOTIFIER,  /* calls that somebody else decides about */
	LOCK_SOCKETS,   /* which sockets are connected, and their names */
	LOCK_PIPE,      /* a pipe's or channel's buffer */
	LOCK_DRIVERS,   /* which connections with filesystem drivers there are */
	LOCK_DRIVER,    /* a connection's requests, on their way to a filesystem driver */
	LOCK_PTYS,      /* which pseudo terminals there are */
	LOCK_DEVICE,    /* a device's registers and rings: serial ports, the exec channel */
	LOCK_USERS,     /* whose things are counted by user */
	LOCK_THREADS,   /* the list of all threads */
	LOCK_WAITQ,     /* a wait queue's list, a mutex's waiters */
	LOCK_POLLERS,   /* the same of an epoll; two: the inner one's first */
	LOCK_READY,     /* what has happened in an epoll: under the queue that told it */
	LOCK_SLEEPERS,  /* those who wait for that */
	LOCK_TIMER,     /* a CPU's timers */
	LOCK_RUNQ,      /* a CPU's run queue; two: lower CPU number first */
	LOCK_RCU,       /* the grace period's state */
	LOCK_KVA,       /* the kernel's virtual area */
	LOCK_PAGETABLE, /* the page tables of one space */
	LOCK_SLAB,      /* a slab cache's lists and depot */
	LOCK_MAGAZINE,  /* the slab cache that magazines come from: inside of any other cache's */
	LOCK_FRAME,     /* the buddy allocator */
	LOCK_TASK,      /* an executor's list of tasks */
	LOCK_CLOCK,     /* what programs see of the clock */
	LOCK_TEST,      /* spinlocks of the self-tests */
	LOCK_IRQ,       /* an interrupt controller's registers */
	LOCK_LOG,       /* the log ring and what it is written to */
	LOCK_SERIAL,    /* a serial port's chip and rings: innermost, since log lines go there */
	LOCK_CLASSES
};

#define LOCK_FIRST_SPIN LOCK_FDTABLE

#endif
