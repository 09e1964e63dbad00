/*
 * /proc/sysvipc: the System V objects of the reader's namespace, as Linux lists them; and
 * /proc/sys/kernel/sem, the one limit of them that is more than a number.
 */
#include "procfs.h"

#include "../namespace/pid.h"

#include <abi/errno.h>
#include <ipc/mqueue.h>
#include <ipc/sysv.h>
#include <lib/string.h>

static unsigned shown(const struct proc_subject *subject, int32_t pid)
{
	return (unsigned)pid_number_in(subject->namespace, pid);
}

void proc_sysvipc_shm(struct text *text, const struct proc_subject *subject)
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
			 shm.perm.key, id, shm.perm.mode, shm.segsz, shown(subject, shm.cpid),
			 shown(subject, shm.lpid), shm.nattch, shm.perm.uid, shm.perm.gid,
			 shm.perm.cuid, shm.perm.cgid, (uint64_t)shm.atime, (uint64_t)shm.dtime,
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

void proc_sysvipc_msg(struct text *text, const struct proc_subject *subject)
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
			 shown(subject, queue.lspid), shown(subject, queue.lrpid), queue.perm.uid,
			 queue.perm.gid, queue.perm.cuid, queue.perm.cgid, (uint64_t)queue.stime,
			 (uint64_t)queue.rtime, (uint64_t)queue.ctime);
}

/* ---- limits of the namespace of who asks: what are plain numbers stands in the table ---- */

void *proc_sysv_limits(void)
{
	return sysv_limits();
}

void *proc_mqueue_limits(void)
{
	return mqueue_limits();
}

void proc_sem(struct text *text, UNUSED const struct proc_subject *subject)
{
	const struct sysv_limits *limits = sysv_limits();

	text_add(text, "%u\t%u\t%u\t%u\n", read_once(&limits->semmsl), read_once(&limits->semmns),
		 read_once(&limits->semopm), read_once(&limits->semmni));
}

/* As Linux: those that are given, from the first on. */
err_t proc_sem_write(UNUSED const struct proc_subject *subject, const char *text)
{
	struct sysv_limits *own = sysv_limits();
	const struct {
		uint32_t *limit;
		int64_t most;
	} limits[] = {{&own->semmsl, 65536}, /* a call's arrays are no longer */
		      {&own->semmns, INT32_MAX},
		      {&own->semopm, 32768},
		      {&own->semmni, SYSV_IDS_MAX}};
	int64_t values[ARRAY_SIZE(limits)];
	unsigned count = 0;

	while (*text) {
		char number[24];
		size_t len;

		while (*text == ' ' || *text == '\t')
			text++;
		for (len = 0; text[len] && text[len] != ' ' && text[len] != '\t'; len++)
			;
		if (len >= sizeof(number) || count == ARRAY_SIZE(limits))
			return -EINVAL;
		memcpy(number, text, len);
		number[len] = '\0';
		if (proc_read_number(number, 0, limits[count].most, &values[count]))
			return -EINVAL;
		count++;
		text += len;
	}
	for (unsigned i = 0; i < count; i++)
		write_once(limits[i].limit, (uint32_t)values[i]);
	return count ? 0 : -EINVAL;
}
