/*
 * System V shared memory, semaphores and message queues as Linux has them on x86-64 (shmctl(2),
 * semctl(2), msgctl(2)).
 */
#ifndef ABI_IPC_H
#define ABI_IPC_H

#include <stdint.h>

#define IPC_PRIVATE 0

/* The nine lower bits of the flags of a get call are permissions. */
#define IPC_CREAT  01000
#define IPC_EXCL   02000
#define IPC_NOWAIT 04000

#define IPC_RMID 0
#define IPC_SET  1
#define IPC_STAT 2
#define IPC_INFO 3

struct abi_ipc_perm {
	int32_t key;
	uint32_t uid, gid;   /* owner */
	uint32_t cuid, cgid; /* creator */
	uint32_t mode;
	uint16_t seq;
	uint16_t pad[3];
	uint64_t unused[2];
};

/* ---- shared memory ---- */

#define SHM_HUGETLB 04000 /* shmget */

#define SHM_RDONLY 010000 /* shmat */
#define SHM_RND    020000
#define SHM_REMAP  040000
#define SHM_EXEC   0100000

#define SHM_DEST   01000 /* in a mode: it goes with the last who has it mapped */
#define SHM_LOCKED 02000

#define SHM_LOCK     11
#define SHM_UNLOCK   12
#define SHM_STAT     13
#define SHM_INFO     14
#define SHM_STAT_ANY 15

struct abi_shmid_ds {
	struct abi_ipc_perm perm;
	uint64_t segsz;
	int64_t atime, dtime, ctime; /* seconds */
	int32_t cpid, lpid;
	uint64_t nattch;
	uint64_t unused[2];
};

struct abi_shminfo {
	uint64_t shmmax, shmmin, shmmni, shmseg, shmall;
	uint64_t unused[4];
};

struct abi_shm_info {
	int32_t used_ids;
	int32_t pad;
	uint64_t shm_tot, shm_rss, shm_swp; /* pages */
	uint64_t swap_attempts, swap_successes;
};

/* ---- semaphores ---- */

#define SEM_UNDO 0x1000

#define GETPID       11
#define GETVAL       12
#define GETALL       13
#define GETNCNT      14
#define GETZCNT      15
#define SETVAL       16
#define SETALL       17
#define SEM_STAT     18
#define SEM_INFO     19
#define SEM_STAT_ANY 20

#define SEMVMX 32767 /* the highest value */
#define SEMAEM 32767 /* the most that the end of a process changes a value by */

struct abi_semid_ds {
	struct abi_ipc_perm perm;
	int64_t otime;
	uint64_t unused1;
	int64_t ctime;
	uint64_t unused2;
	uint64_t nsems;
	uint64_t unused3[2];
};

struct abi_sembuf {
	uint16_t sem_num;
	int16_t sem_op;
	int16_t sem_flg;
};

struct abi_seminfo {
	int32_t semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem;
};

/* ---- message queues ---- */

#define MSG_NOERROR 010000
#define MSG_EXCEPT  020000
#define MSG_COPY    040000

#define MSG_STAT     11
#define MSG_INFO     12
#define MSG_STAT_ANY 13

struct abi_msqid_ds {
	struct abi_ipc_perm perm;
	int64_t stime, rtime, ctime;
	uint64_t cbytes, qnum, qbytes;
	int32_t lspid, lrpid;
	uint64_t unused[2];
};

struct abi_msginfo {
	int32_t msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
	uint16_t msgseg;
	uint16_t pad;
};

_Static_assert(sizeof(struct abi_ipc_perm) == 48, "Linux's ipc64_perm");
_Static_assert(sizeof(struct abi_shmid_ds) == 112, "Linux's shmid64_ds");
_Static_assert(sizeof(struct abi_shminfo) == 72, "Linux's shminfo64");
_Static_assert(sizeof(struct abi_shm_info) == 48, "Linux's shm_info");
_Static_assert(sizeof(struct abi_semid_ds) == 104, "Linux's semid64_ds");
_Static_assert(sizeof(struct abi_sembuf) == 6, "Linux's sembuf");
_Static_assert(sizeof(struct abi_msqid_ds) == 120, "Linux's msqid64_ds");
_Static_assert(sizeof(struct abi_msginfo) == 32, "Linux's msginfo");

#endif
