/*
 * System V's shared memory, semaphores and message queues (sysvipc(7)): what system calls and /proc
 * need of them. Ids and keys are those of the IPC namespace of who calls. All of it may sleep, and
 * takes locks of LOCK_UNDO and later alone, but for shm_attach() and shm_detach(), which map.
 * Nothing of it touches a program's memory: the callers copy. Errors are those of Linux's calls.
 */
#ifndef IPC_SYSV_H
#define IPC_SYSV_H

#include <abi/ipc.h>
#include <lib/types.h>

struct semaphore_undos;
struct space;

/* What may be made in an IPC namespace (ipc/namespace.h), as /proc/sys/kernel shows it. Read and
 * written by read_once and write_once. */
struct sysv_limits {
	uint64_t shmmax; /* bytes of one segment */
	uint64_t shmall; /* pages of all */
	uint32_t shmmni; /* segments */
	uint32_t semmsl; /* semaphores of a set */
	uint32_t semmns; /* of all sets */
	uint32_t semopm; /* operations of one call */
	uint32_t semmni; /* sets */
	uint32_t msgmax; /* bytes of a message */
	uint32_t msgmnb; /* of all messages of a queue, unless it was given more */
	uint32_t msgmni; /* queues */
};
/* Those of who calls. */
struct sysv_limits *sysv_limits(void);
#define SYSV_IDS_MAX 32768 /* of one kind, whatever the limits say */

/* Begins the first IPC namespace. */
void sysv_init(void);

/* ---- hooks of kernel/: who calls; neither sleeps ---- */

struct sysv_caller {
	uint32_t uid, gid; /* effective */
	int32_t pid;       /* 0: the kernel */
};
struct sysv_caller sysv_caller(void);
/* A number of those, as the caller knows it; 0: not at all. */
int32_t sysv_caller_shows(int32_t pid);
bool sysv_caller_in_group(uint32_t gid);
bool sysv_caller_capable(unsigned capability);
/* RLIMIT_MEMLOCK. */
uint64_t sysv_caller_lock_limit_bytes(void);

/* ---- for all three ---- */

/* Whom a stat call names: an id, or a place in the table (*_STAT). */
enum sysv_lookup { SYSV_BY_ID, SYSV_BY_INDEX, SYSV_BY_INDEX_UNCHECKED };

/* What IPC_SET takes. */
struct sysv_owner {
	uint32_t uid, gid, mode;
};

/* ---- shared memory (sysv/shm.c) ---- */

/* The id. */
int must_check shm_get(int32_t key, uint64_t len_bytes, unsigned flags);
/* Maps it into the running program's space, `address` 0: anywhere. */
err_t must_check shm_attach(struct space *space, int32_t id, uint64_t address, unsigned flags,
			    vaddr_t *mapped);
err_t must_check shm_detach(struct space *space, uint64_t address);
err_t must_check shm_remove(int32_t id);
err_t must_check shm_set(int32_t id, const struct sysv_owner *owner);
err_t must_check shm_lock(int32_t id, bool lock);
/* The id, or an error. */
int must_check shm_stat(int32_t id, enum sysv_lookup lookup, struct abi_shmid_ds *out);
/* The highest index in use. */
int shm_limits(struct abi_shminfo *out);
int shm_info(struct abi_shm_info *out);

/* ---- semaphores (sysv/semaphore.c, sysv/semaphore_wait.c) ---- */

int must_check semaphore_get(int32_t key, int nsems, unsigned flags);
/* All of the operations at once, or none. `undos`: the running thread's, made when it is needed.
 * `deadline_ns` of clock_ns(); UINT64_MAX: none. */
err_t must_check semaphore_operate(int32_t id, const struct abi_sembuf *operations,
				   unsigned noperations, struct semaphore_undos **undos,
				   uint64_t deadline_ns);
/* GETVAL, GETPID, GETNCNT, GETZCNT. */
int must_check semaphore_ask(int32_t id, unsigned index, unsigned command);
err_t must_check semaphore_set_value(int32_t id, unsigned index, int value);
/* How many the set has. `all`: the caller wants to read, else to write. */
int must_check semaphore_count(int32_t id, bool read);
/* `values` of `nvalues`; -EIDRM, -EINVAL: that is not how many there are. */
err_t must_check semaphore_get_all(int32_t id, uint16_t *values, unsigned nvalues);
err_t must_check semaphore_set_all(int32_t id, const uint16_t *values, unsigned nvalues);
err_t must_check semaphore_remove(int32_t id);
err_t must_check semaphore_set_owner(int32_t id, const struct sysv_owner *owner);
int must_check semaphore_stat(int32_t id, enum sysv_lookup lookup, struct abi_semid_ds *out);
/* `in_use`: with figures of now, as SEM_INFO has them. The highest index in use. */
int semaphore_info(bool in_use, struct abi_seminfo *out);

/* What the end of a process gives back (sysv/semaphore_undo.c): shared by threads and by who is
 * made with CLONE_SYSVSEM. *undos NULL: made. A reference for the caller; NULL: no memory. */
struct semaphore_undos *semaphore_undos_share(struct semaphore_undos **undos);
/* The last one carries out what it holds. Takes NULL. */
void semaphore_undos_put(struct semaphore_undos *undos);

/* ---- message queues (sysv/message.c) ---- */

struct sysv_message;

int must_check sysv_message_get(int32_t key, unsigned flags);
/* An empty one, whose bytes the caller fills; NULL: no memory. */
struct sysv_message *sysv_message_alloc(size_t len_bytes);
char *sysv_message_bytes(struct sysv_message *message);
/* Takes NULL. */
void sysv_message_put(struct sysv_message *message);
/* Takes the message over, whatever the result. -EAGAIN: `flags` has IPC_NOWAIT, and it is full. */
err_t must_check sysv_message_send(int32_t id, struct sysv_message *message, int64_t type,
				   unsigned flags);
/* *out is the caller's; *len_bytes of it are to be given to the program. */
err_t must_check sysv_message_receive(int32_t id, size_t room_bytes, int64_t type, unsigned flags,
				      struct sysv_message **out, size_t *len_bytes,
				      int64_t *type_out);
err_t must_check sysv_message_remove(int32_t id);
err_t must_check sysv_message_set(int32_t id, const struct sysv_owner *owner, uint64_t qbytes);
int must_check sysv_message_stat(int32_t id, enum sysv_lookup lookup, struct abi_msqid_ds *out);
int sysv_message_info(bool in_use, struct abi_msginfo *out);

/* ---- for /proc/sysvipc: the next from *index on, which moves behind it; its id, -1: no more ----
 */

int shm_next(uint32_t *index, struct abi_shmid_ds *out, uint64_t *resident_pages);
int semaphore_next(uint32_t *index, struct abi_semid_ds *out);
int sysv_message_next(uint32_t *index, struct abi_msqid_ds *out);

#endif
