/*
 * /proc/sysvipc: the System V objects that there are, as Linux lists them; and the limits of these
 * and of POSIX message queues in /proc/sys.
 */
#include "procfs.h"

#include <ipc/mqueue.h>
#include <ipc/sysv.h>

void proc_sysvipc_shm(struct text *text, UNUSED const struct proc_subject *subject)
{
	struct abi_shmid_ds shm;
	uint64_t resident_pages;
	uint32_t index = 0;
	int id;

	text_add(text,
		 "       key      shmid perms                  size  cpid  lpid nattch   uid   "
		 "gid  cuid  cgid      atime      dtime      ctime                   rss     "
		 "             swap\n");
	while ((id = shm_next(&index, &shm, &resident_pages)) >= 0)
		text_add(text,
			 "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10lu %10lu %10lu "
			 "%21lu %21u\n",
			 shm.perm.key, id, shm.perm.mode, shm.segsz, (unsigned)shm.cpid,
			 (unsigned)shm.lpid, shm.nattch, shm.perm.uid, shm.perm.gid, shm.perm.cuid,
			 shm.perm.cgid, (uint64_t)shm.atime, (uint64_t)shm.dtime,
			 (uint64_t)shm.ctime, resident_pages * PAGE_SIZE, 0u);
}

void proc_sysvipc_sem(struct text *text, UNUSED const struct proc_subject *subject)
{
	struct abi_semid_ds set;
	uint32_t index = 0;
	int id;

	text_add(text,
		 "       key      semid perms      nsems   uid   gid  cuid  cgid      otime   "
		 "   ctime\n");
	while ((id = semaphore_next(&index, &set)) >= 0)
		text_add(text, "%10d %10d  %4o %10lu %5u %5u %5u %5u %10lu %10lu\n", set.perm.key,
			 id, set.perm.mode, set.nsems, set.perm.uid, set.perm.gid, set.perm.cuid,
			 set.perm.cgid, (uint64_t)set.otime, (uint64_t)set.ctime);
}

void proc_sysvipc_msg(struct text *text, UNUSED const struct proc_subject *subject)
{
	struct abi_msqid_ds queue;
	uint32_t index = 0;
	int id;

	text_add(text,
		 "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  "
		 "cuid  cgid      stime      rtime      ctime\n");
	while ((id = sysv_message_next(&index, &queue)) >= 0)
		text_add(text,
			 "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lu %10lu %10lu\n",
			 queue.perm.key, id, queue.perm.mode, queue.cbytes, queue.qnum,
			 (unsigned)queue.lspid, (unsigned)queue.lrpid, queue.perm.uid,
			 queue.perm.gid, queue.perm.cuid, queue.perm.cgid, (uint64_t)queue.stime,
			 (uint64_t)queue.rtime, (uint64_t)queue.ctime);
}

/* ---- /proc/sys/kernel, /proc/sys/fs/mqueue ---- */

#define LIMIT_FILE(function, format, limit)                                                        \
	void function(struct text *text, UNUSED const struct proc_subject *subject)                \
	{                                                                                          \
		text_add(text, format "\n", read_once(&(limit)));                                  \
	}

LIMIT_FILE(proc_shmmax, "%lu", sysv_limits.shmmax)
LIMIT_FILE(proc_shmall, "%lu", sysv_limits.shmall)
LIMIT_FILE(proc_shmmni, "%u", sysv_limits.shmmni)
LIMIT_FILE(proc_msgmax, "%u", sysv_limits.msgmax)
LIMIT_FILE(proc_msgmnb, "%u", sysv_limits.msgmnb)
LIMIT_FILE(proc_msgmni, "%u", sysv_limits.msgmni)
LIMIT_FILE(proc_mq_queues_max, "%u", mqueue_limits.queues_max)
LIMIT_FILE(proc_mq_msg_max, "%u", mqueue_limits.msg_max)
LIMIT_FILE(proc_mq_msgsize_max, "%u", mqueue_limits.msgsize_max)
LIMIT_FILE(proc_mq_msg_default, "%u", mqueue_limits.msg_default)
LIMIT_FILE(proc_mq_msgsize_default, "%u", mqueue_limits.msgsize_default)

void proc_sem(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "%u\t%u\t%u\t%u\n", read_once(&sysv_limits.semmsl),
		 read_once(&sysv_limits.semmns), read_once(&sysv_limits.semopm),
		 read_once(&sysv_limits.semmni));
}
