/*
 * System V shared memory: shmget, shmat, shmdt, shmctl.
 */
#include <grp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "as_user.h"
#include "check.h"
#include "ipc_help.h"

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#define PAGE 4096

static key_t own_key; /* of this run */
static int id;
static struct shmid_ds segment;

static char *const failed = (char *)-1;

static int make(size_t bytes)
{
	id = shmget(IPC_PRIVATE, bytes, 0600);
	return id;
}

static unsigned long attached(void)
{
	return shmctl(id, IPC_STAT, &segment) ? 1000 : segment.shm_nattch;
}

static void a_segment_is_shared_by_all_who_attach_it(void)
{
	char *a, *b;

	EXPECT(make(3 * PAGE - 1) >= 0);
	a = shmat(id, NULL, 0);
	b = shmat(id, NULL, 0);
	EXPECT(a != failed && b != failed && a != b);
	EXPECT_EQUAL(a[2 * PAGE], 0);
	strcpy(a + 2 * PAGE, "hello");
	EXPECT(strcmp(b + 2 * PAGE, "hello") == 0);
	EXPECT_EQUAL(attached(), 2);
	EXPECT_EQUAL(shmdt(a), 0);
	EXPECT_EQUAL(attached(), 1);
	EXPECT_EQUAL(shmdt(b), 0);
	EXPECT_ERRNO(EINVAL, shmdt(b));
	EXPECT_ERRNO(EINVAL, shmdt((char *)&segment + 1));
	a = shmat(id, NULL, 0);
	EXPECT(strcmp(a + 2 * PAGE, "hello") == 0);
	shmdt(a);
	EXPECT_EQUAL(shmctl(id, IPC_RMID, NULL), 0);
	EXPECT_ERRNO(EINVAL, shmat(id, NULL, 0));
	EXPECT_ERRNO(EINVAL, shmctl(id, IPC_RMID, NULL));
}

static void keys_find_segments(void)
{
	int first = shmget(own_key, PAGE, IPC_CREAT | IPC_EXCL | 0600);

	EXPECT(first >= 0);
	EXPECT_EQUAL(shmget(own_key, PAGE, IPC_CREAT | 0600), first);
	EXPECT_EQUAL(shmget(own_key, 0, 0), first);
	EXPECT_ERRNO(EEXIST, shmget(own_key, PAGE, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_ERRNO(EINVAL, shmget(own_key, PAGE + 1, 0));
	EXPECT_EQUAL(shmctl(first, IPC_RMID, NULL), 0);
	EXPECT_ERRNO(ENOENT, shmget(own_key, PAGE, 0600));
	EXPECT_ERRNO(EINVAL, shmget(own_key, 0, IPC_CREAT | 0600));
	EXPECT_ERRNO(EINVAL, shmget(own_key, -1ul, IPC_CREAT | 0600));
	EXPECT_ERRNO(ENOENT, shmget(own_key, PAGE, 0600));
}

static void an_id_is_not_used_again_soon(void)
{
	int first = make(PAGE);

	shmctl(first, IPC_RMID, NULL);
	EXPECT(make(PAGE) != first);
	shmctl(id, IPC_RMID, NULL);
}

static int read_byte(void)
{
	char *at = shmat(id, NULL, SHM_RDONLY);

	return at == failed ? 200 : *at;
}

static void a_removed_segment_lives_until_the_last_detach(void)
{
	char *at;

	EXPECT(make(PAGE) >= 0);
	at = shmat(id, NULL, 0);
	*at = 7;
	EXPECT_EQUAL(shmctl(id, IPC_RMID, NULL), 0);
	EXPECT_EQUAL(*at, 7);
	EXPECT_EQUAL(attached(), 1);
	EXPECT(segment.shm_perm.mode & SHM_DEST);
	EXPECT_EQUAL(segment.shm_perm.__key, IPC_PRIVATE);
	EXPECT_EQUAL(end_of(child_of(read_byte)), 7); /* can still be attached */
	EXPECT_EQUAL(shmctl(id, IPC_RMID, NULL), 0);
	EXPECT_EQUAL(shmdt(at), 0);
	EXPECT_ERRNO(EINVAL, shmctl(id, IPC_STAT, &segment));
}

static char *inherited;

static int write_and_exec(void)
{
	*inherited = 9;
	if (attached() != 2)
		return 1;
	execl("/proc/self/exe", "shm", "attached", NULL);
	return 2;
}

/* What the program does after that exec: nothing is attached any more. */
static int count_attached(const char *of)
{
	id = atoi(of);
	return (int)attached();
}

static int exec_and_count(void)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", id);
	execl("/proc/self/exe", "shm", text, NULL);
	return 200;
}

static void a_fork_inherits_and_an_exec_detaches(void)
{
	EXPECT(make(PAGE) >= 0);
	inherited = shmat(id, NULL, 0);
	EXPECT_EQUAL(end_of(child_of(write_and_exec)), 0);
	EXPECT_EQUAL(*inherited, 9);
	EXPECT_EQUAL(attached(), 1);
	EXPECT_EQUAL(end_of(child_of(exec_and_count)), 1); /* the parent's */
	EXPECT_EQUAL(shmdt(inherited), 0);
	shmctl(id, IPC_RMID, NULL);
}

static int write_to(void)
{
	*inherited = 1;
	return 0;
}

static void a_read_only_attach_cannot_be_written(void)
{
	EXPECT(make(PAGE) >= 0);
	inherited = shmat(id, NULL, SHM_RDONLY);
	EXPECT(inherited != failed);
	EXPECT_EQUAL(*inherited, 0);
	EXPECT_EQUAL(end_of(child_of(write_to)), -1 - SIGSEGV);
	EXPECT_ERRNO(EACCES, mprotect(inherited, PAGE, PROT_READ | PROT_WRITE));
	shmdt(inherited);
	shmctl(id, IPC_RMID, NULL);
}

static void an_executable_attach_can_be_called(void)
{
	static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov eax, 42; ret */
	union {
		void *data;
		int (*call)(void);
	} function;

	EXPECT((id = shmget(IPC_PRIVATE, PAGE, 0700)) >= 0);
	function.data = shmat(id, NULL, SHM_EXEC);
	EXPECT(function.data != failed);
	memcpy(function.data, code, sizeof(code));
	EXPECT_EQUAL(function.call(), 42);
	shmdt(function.data);
	shmctl(id, IPC_RMID, NULL);
}

static void an_address_is_obeyed(void)
{
	char *place = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at;

	EXPECT(make(2 * PAGE) >= 0);
	EXPECT_ERRNO(EINVAL, shmat(id, place, 0));
	EXPECT_ERRNO(EINVAL, shmat(id, place + 1, 0));
	EXPECT_ERRNO(EINVAL, shmat(id, NULL, SHM_REMAP));
	EXPECT_ERRNO(EINVAL, shmat(id, (char *)1, SHM_REMAP | SHM_RND));
	at = shmat(id, place + PAGE, SHM_REMAP);
	EXPECT(at == place + PAGE);
	at[2 * PAGE - 1] = 1;
	EXPECT_EQUAL(shmdt(at), 0);
	EXPECT_EQUAL(munmap(place, 4 * PAGE), 0);
	at = shmat(id, place + 5, SHM_RND);
	EXPECT(at == place);
	EXPECT_EQUAL(at[2 * PAGE - 1], 1);
	EXPECT_EQUAL(shmdt(at), 0);
	EXPECT_ERRNO(EINVAL, shmat(id, (char *)(-1ul << 12), 0));
	shmctl(id, IPC_RMID, NULL);
}

static void what_was_cut_is_detached_whole(void)
{
	char *at;

	EXPECT(make(4 * PAGE) >= 0);
	at = shmat(id, NULL, 0);
	EXPECT_EQUAL(munmap(at + PAGE, PAGE), 0);
	EXPECT_EQUAL(attached(), 2);
	EXPECT_EQUAL(munmap(at, PAGE), 0);
	EXPECT_EQUAL(shmdt(at), 0);
	EXPECT_EQUAL(attached(), 0);
	EXPECT_ERRNO(EINVAL, shmdt(at));
	shmctl(id, IPC_RMID, NULL);
}

static void stat_tells_who_and_how_large(void)
{
	struct shmid_ds first;
	char *at;

	EXPECT(make(PAGE + 1) >= 0);
	EXPECT_EQUAL(shmctl(id, IPC_STAT, &first), 0);
	EXPECT_EQUAL(first.shm_segsz, PAGE + 1);
	EXPECT_EQUAL(first.shm_cpid, getpid());
	EXPECT_EQUAL(first.shm_lpid, 0);
	EXPECT_EQUAL(first.shm_atime, 0);
	EXPECT_EQUAL(first.shm_dtime, 0);
	EXPECT(first.shm_ctime > 0);
	EXPECT_EQUAL(first.shm_perm.mode, 0600);
	EXPECT_EQUAL(first.shm_perm.uid, geteuid());
	EXPECT_EQUAL(first.shm_perm.cuid, geteuid());
	EXPECT_EQUAL(first.shm_perm.gid, getegid());
	EXPECT_EQUAL(first.shm_perm.cgid, getegid());
	at = shmat(id, NULL, 0);
	shmdt(at);
	EXPECT_EQUAL(attached(), 0);
	EXPECT_EQUAL(segment.shm_lpid, getpid());
	EXPECT(segment.shm_atime >= first.shm_ctime);
	EXPECT(segment.shm_dtime >= segment.shm_atime);
	EXPECT(is_listed("shm", id));
	shmctl(id, IPC_RMID, NULL);
	EXPECT(!is_listed("shm", id));
}

static int may_do_nothing(void)
{
	NEED(shmat(id, NULL, 0) == failed && errno == EACCES);
	NEED(shmat(id, NULL, SHM_RDONLY) == failed && errno == EACCES);
	NEED(shmctl(id, IPC_STAT, &segment) == -1 && errno == EACCES);
	NEED(shmctl(id, IPC_SET, &segment) == -1 && errno == EPERM);
	NEED(shmctl(id, IPC_RMID, NULL) == -1 && errno == EPERM);
	NEED(shmctl(id, SHM_LOCK, NULL) == -1 && errno == EPERM);
	NEED(shmget(own_key, 0, 0400) == -1 && errno == EACCES);
	NEED(shmget(own_key, 0, 0) == id);
	return 0;
}

/* Those of group 0 may ask for huge pages. */
static int may_not_ask_for_huge_ones(void)
{
	NEED(setgroups(0, NULL) == 0);
	NEED(setgid(1000) == 0 && setuid(1000) == 0);
	NEED(shmget(IPC_PRIVATE, PAGE, SHM_HUGETLB | 0600) == -1 && errno == EPERM);
	return 0;
}

static int may_read(void)
{
	NEED(shmat(id, NULL, 0) == failed && errno == EACCES);
	NEED(shmat(id, NULL, SHM_RDONLY | SHM_EXEC) == failed && errno == EACCES);
	NEED(shmat(id, NULL, SHM_RDONLY) != failed);
	NEED(shmctl(id, IPC_STAT, &segment) == 0);
	NEED(shmctl(id, IPC_RMID, NULL) == -1 && errno == EPERM);
	return 0;
}

static int owns(void)
{
	NEED(shmat(id, NULL, 0) != failed);
	NEED(set_limit(RLIMIT_MEMLOCK, 2 * PAGE));
	NEED(shmctl(id, SHM_LOCK, NULL) == 0);
	NEED(shmctl(id, IPC_STAT, &segment) == 0 && segment.shm_perm.mode & SHM_LOCKED);
	NEED(shmctl(id, SHM_UNLOCK, NULL) == 0);
	NEED(shmctl(id, IPC_STAT, &segment) == 0 && !(segment.shm_perm.mode & SHM_LOCKED));
	NEED(set_limit(RLIMIT_MEMLOCK, PAGE - 1));
	NEED(shmctl(id, SHM_LOCK, NULL) == -1 && errno == ENOMEM);
	NEED(set_limit(RLIMIT_MEMLOCK, 0));
	NEED(shmctl(id, SHM_LOCK, NULL) == -1 && errno == EPERM);
	NEED(shmctl(id, IPC_RMID, NULL) == 0);
	return 0;
}

static void permissions_are_those_of_files(void)
{
	if (geteuid())
		return;
	EXPECT((id = shmget(own_key, PAGE, IPC_CREAT | IPC_EXCL | 0600)) >= 0);
	EXPECT_EQUAL(as_user(may_do_nothing), 0);
	EXPECT_EQUAL(end_of(child_of(may_not_ask_for_huge_ones)), 0);
	EXPECT_EQUAL(shmctl(id, IPC_STAT, &segment), 0);
	segment.shm_perm.mode = 0640;
	EXPECT_EQUAL(shmctl(id, IPC_SET, &segment), 0);
	EXPECT_EQUAL(as_user(may_read), 0);
	segment.shm_perm.mode = 0600;
	segment.shm_perm.uid = 1000;
	EXPECT_EQUAL(shmctl(id, IPC_SET, &segment), 0);
	EXPECT_EQUAL(attached(), 0);
	EXPECT_EQUAL(segment.shm_perm.uid, 1000);
	EXPECT_EQUAL(segment.shm_perm.cuid, 0);
	segment.shm_perm.uid = -1u;
	EXPECT_ERRNO(EINVAL, shmctl(id, IPC_SET, &segment));
	EXPECT_EQUAL(as_user(owns), 0);
	EXPECT_ERRNO(EINVAL, shmctl(id, IPC_STAT, &segment));
}

static void the_whole_is_told(void)
{
	struct shm_info info;
	struct shminfo limits;
	int highest, found = 0;

	EXPECT(make(2 * PAGE) >= 0);
	highest = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
	EXPECT(highest >= 0);
	EXPECT(info.used_ids >= 1);
	EXPECT(info.shm_tot >= 2 && info.shm_tot >= info.shm_rss);
	EXPECT(shmctl(0, IPC_INFO, (struct shmid_ds *)&limits) >= 0);
	EXPECT_EQUAL(limits.shmmin, 1);
	EXPECT(limits.shmmni >= 4096);
	for (int i = 0; i <= highest; i++) {
		if (shmctl(i, SHM_STAT, &segment) == id) {
			EXPECT_EQUAL(segment.shm_segsz, 2 * PAGE);
			EXPECT_EQUAL(shmctl(i, SHM_STAT_ANY, &segment), id);
			found++;
		}
	}
	EXPECT_EQUAL(found, 1);
	shmctl(id, IPC_RMID, NULL);
}

static void what_makes_no_sense_is_refused(void)
{
	void *nowhere = (void *)1;

	EXPECT(make(PAGE) >= 0);
	EXPECT_ERRNO(EINVAL, shmctl(id, 1000, NULL));
	EXPECT_ERRNO(EINVAL, syscall(SYS_shmctl, id, -1, NULL));
	EXPECT_ERRNO(EINVAL, shmctl(-1, IPC_STAT, &segment));
	EXPECT_ERRNO(EINVAL, shmctl(id + 1, IPC_STAT, &segment));
	EXPECT_ERRNO(EINVAL, shmctl(32767, SHM_STAT, &segment));
	EXPECT_ERRNO(EINVAL, shmat(-1, NULL, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_shmctl, id, IPC_STAT, nowhere));
	EXPECT_ERRNO(EFAULT, syscall(SYS_shmctl, id, IPC_SET, nowhere));
	EXPECT_ERRNO(EFAULT, syscall(SYS_shmctl, id, SHM_INFO, nowhere));
	EXPECT_ERRNO(EFAULT, syscall(SYS_shmctl, id, IPC_INFO, nowhere));
	/* No huge pages were set aside. */
	EXPECT_ERRNO(ENOMEM, shmget(IPC_PRIVATE, 1 << 21, SHM_HUGETLB | 0600));
	shmctl(id, IPC_RMID, NULL);
}

static int attach_too_much(void)
{
	NEED(set_limit(RLIMIT_AS, 64 << 20));
	NEED(shmat(id, NULL, 0) == failed && errno == ENOMEM);
	return 0;
}

static void the_limit_of_memory_holds(void)
{
	EXPECT(make(65 << 20) >= 0);
	EXPECT_EQUAL(end_of(child_of(attach_too_much)), 0);
	EXPECT_EQUAL(attached(), 0);
	shmctl(id, IPC_RMID, NULL);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "attached") == 0)
		return 0;
	if (argc > 1)
		return count_attached(argv[1]);
	own_key = 0x46000000 + getpid();
	RUN(a_segment_is_shared_by_all_who_attach_it);
	RUN(keys_find_segments);
	RUN(an_id_is_not_used_again_soon);
	RUN(a_removed_segment_lives_until_the_last_detach);
	RUN(a_fork_inherits_and_an_exec_detaches);
	RUN(a_read_only_attach_cannot_be_written);
	RUN(an_executable_attach_can_be_called);
	RUN(an_address_is_obeyed);
	RUN(what_was_cut_is_detached_whole);
	RUN(stat_tells_who_and_how_large);
	RUN(permissions_are_those_of_files);
	RUN(the_whole_is_told);
	RUN(what_makes_no_sense_is_refused);
	RUN(the_limit_of_memory_holds);
	return check_end();
}
