/*
 * Core files: which ends leave one, what is in it, and whose it is. Each test's child works in a
 * folder of its own.
 */
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

#define SPARSE_BYTES (1UL << 30)

static char folder[] = "/tmp/coreXXXXXX";
static volatile char here[64] = "what the program knew";
static char *untold; /* MADV_DONTDUMP */
static char *sparse; /* SPARSE_BYTES, with one page */
static char *zeros;  /* never touched */

/* The file as a whole; NULL: there is none. */
static char *core;
static size_t core_bytes;
static struct stat core_stat;

/* ---- making one ---- */

static void *sleep_for_ever(void *argument)
{
	(void)argument;
	for (;;)
		pause();
	return NULL;
}

static char *map(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static void prepare_memory(void)
{
	untold = map(4096);
	sparse = map(SPARSE_BYTES);
	zeros = map(4096);
	strcpy(untold, "a secret");
	madvise(untold, 4096, MADV_DONTDUMP);
	madvise(sparse, SPARSE_BYTES, MADV_NOHUGEPAGE);
	strcpy(sparse + SPARSE_BYTES / 2, "in the midst");
}

static void forget_core(void)
{
	if (core)
		munmap(core, core_bytes);
	core = NULL;
	core_bytes = 0;
	unlink("core");
}

static void read_core(void)
{
	int fd = open("core", O_RDONLY | O_NOFOLLOW);

	if (fd < 0 || fstat(fd, &core_stat))
		return;
	core_bytes = (size_t)core_stat.st_size;
	core = mmap(NULL, core_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (core == MAP_FAILED)
		core = NULL;
	close(fd);
}

/* wait4's status of a child that had this limit and called body(); its core is `core`. */
static int end_in(rlim_t limit, void (*body)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit both = {limit, RLIM_INFINITY};

		signal(SIGALRM, SIG_DFL);
		alarm(20); /* should nothing end it */
		if (setrlimit(RLIMIT_CORE, &both) == 0)
			body();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	read_core();
	return status;
}

static void abort_now(void)
{
	abort();
}

static void touch_nothing(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, sleep_for_ever, NULL);
	pthread_create(&thread, NULL, sleep_for_ever, NULL);
	*(volatile char *)0x1234 = 1;
}

/* ---- reading one ---- */

static const Elf64_Phdr *headers(void)
{
	return (const Elf64_Phdr *)(core + ((const Elf64_Ehdr *)core)->e_phoff);
}

static bool is_core(void)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)core;

	return core && core_bytes > sizeof(*header) && !memcmp(core, ELFMAG, SELFMAG) &&
	       header->e_type == ET_CORE && header->e_machine == EM_X86_64 &&
	       headers()->p_type == PT_NOTE;
}

/* How many notes of the type there are; *contents is the first one's. */
static unsigned notes(uint32_t type, const void **contents)
{
	const char *at = core + headers()->p_offset;
	const char *end = at + headers()->p_filesz;
	unsigned count = 0;

	while (at < end) {
		const Elf64_Nhdr *note = (const Elf64_Nhdr *)at;
		const char *inside = at + sizeof(*note) + (note->n_namesz + 3) / 4 * 4;

		if (note->n_type == type && !count++)
			*contents = inside;
		at = inside + (note->n_descsz + 3) / 4 * 4;
	}
	return count;
}

static const Elf64_Phdr *segment_of(const volatile void *address)
{
	for (unsigned i = 1; i < ((const Elf64_Ehdr *)core)->e_phnum; i++) {
		if ((uintptr_t)address - headers()[i].p_vaddr < headers()[i].p_memsz)
			return &headers()[i];
	}
	return NULL;
}

/* What was there; NULL: the core does not have it. */
static const char *memory_at(const volatile void *address)
{
	const Elf64_Phdr *segment = segment_of(address);
	uint64_t offset;

	if (!segment)
		return NULL;
	offset = (uintptr_t)address - segment->p_vaddr;
	if (offset >= segment->p_filesz || segment->p_offset + offset >= core_bytes)
		return NULL;
	return core + segment->p_offset + offset;
}

/* ---- which ends leave one ---- */

static void without_the_limit_there_is_none(void)
{
	EXPECT_EQUAL(end_in(0, abort_now), SIGABRT);
	EXPECT(!core);
}

static void the_status_says_that_it_is_there(void)
{
	siginfo_t info = {0};
	struct rlimit both = {RLIM_INFINITY, RLIM_INFINITY};
	pid_t pid;

	EXPECT_EQUAL(end_in(RLIM_INFINITY, abort_now), SIGABRT | 0x80);
	EXPECT(is_core());
	EXPECT_EQUAL(core_stat.st_mode, S_IFREG | 0600);
	EXPECT_EQUAL(core_stat.st_uid, getuid());
	pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &both);
		abort();
	}
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
	EXPECT_EQUAL(info.si_code, CLD_DUMPED);
	EXPECT_EQUAL(info.si_status, SIGABRT);
	forget_core();
}

static const int core_signals[] = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
				   SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
static const int other_signals[] = {SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGTERM, SIGUSR1, SIGALRM};
static int signal_now;

static void raise_it(void)
{
	kill(getpid(), signal_now);
	for (;;)
		pause();
}

static void only_certain_signals_leave_one(void)
{
	for (size_t i = 0; i < sizeof(core_signals) / sizeof(*core_signals); i++) {
		const siginfo_t *info = NULL;

		signal_now = core_signals[i];
		EXPECT_EQUAL(end_in(RLIM_INFINITY, raise_it), signal_now | 0x80);
		EXPECT(is_core());
		EXPECT_EQUAL(notes(NT_SIGINFO, (const void **)&info), 1);
		EXPECT_EQUAL(info->si_signo, signal_now);
		EXPECT_EQUAL(info->si_code, SI_USER);
		forget_core();
	}
	for (size_t i = 0; i < sizeof(other_signals) / sizeof(*other_signals); i++) {
		signal_now = other_signals[i];
		EXPECT_EQUAL(end_in(RLIM_INFINITY, raise_it), signal_now);
		EXPECT(!core);
	}
}

static void hide_and_abort(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	abort();
}

static void who_is_not_dumpable_leaves_none(void)
{
	EXPECT_EQUAL(end_in(RLIM_INFINITY, hide_and_abort), SIGABRT);
	EXPECT(!core);
}

/* ---- what is in it ---- */

static void it_has_the_threads_and_the_fault(void)
{
	const struct elf_prstatus *status = NULL;
	const struct elf_prpsinfo *process = NULL;
	const siginfo_t *info = NULL;
	const uint64_t *words = NULL;
	const void *unused;

	EXPECT_EQUAL(end_in(RLIM_INFINITY, touch_nothing), SIGSEGV | 0x80);
	EXPECT(is_core());
	EXPECT_EQUAL(notes(NT_PRSTATUS, (const void **)&status), 3);
	EXPECT_EQUAL(status->pr_cursig, SIGSEGV);
	EXPECT_EQUAL(status->pr_ppid, getpid());
	EXPECT_EQUAL(notes(NT_PRPSINFO, (const void **)&process), 1);
	EXPECT_EQUAL(process->pr_pid, status->pr_pid);
	EXPECT_EQUAL(process->pr_uid, getuid());
	EXPECT(strcmp(process->pr_fname, "core") == 0);
	EXPECT_EQUAL(notes(NT_SIGINFO, (const void **)&info), 1);
	EXPECT_EQUAL(info->si_signo, SIGSEGV);
	EXPECT_EQUAL(info->si_code, SEGV_MAPERR);
	EXPECT_EQUAL(info->si_addr, 0x1234);
	EXPECT_EQUAL(notes(NT_FPREGSET, &unused), 3);
	EXPECT_EQUAL(notes(NT_AUXV, (const void **)&words), 1);
	EXPECT(words[0] == AT_SYSINFO_EHDR || words[0] == AT_PHDR);
	EXPECT_EQUAL(notes(NT_FILE, (const void **)&words), 1);
	EXPECT(words[0] > 0);
	EXPECT_EQUAL(words[1], 4096);
	EXPECT_EQUAL(words[2] % 4096, 0);
	/* Where it was is code of the program. */
	EXPECT(segment_of((const void *)((const uint64_t *)status->pr_reg)[16])->p_flags & PF_X);
	forget_core();
}

static void it_has_the_memory_that_is_its_own(void)
{
	prepare_memory();
	EXPECT_EQUAL(end_in(RLIM_INFINITY, abort_now), SIGABRT | 0x80);
	EXPECT(is_core());
	EXPECT(memory_at(here) && !strcmp(memory_at(here), (const char *)here));
	EXPECT(segment_of(untold) && !memory_at(untold));
	EXPECT(segment_of(zeros));
	EXPECT(memory_at(sparse + SPARSE_BYTES / 2) &&
	       !strcmp(memory_at(sparse + SPARSE_BYTES / 2), "in the midst"));
	EXPECT(core_stat.st_size > (off_t)SPARSE_BYTES);
	EXPECT(core_stat.st_blocks * 512 < 16 << 20);
	munmap(sparse, SPARSE_BYTES);
	forget_core();
}

static bool set_filter(const char *text)
{
	int fd = open("/proc/self/coredump_filter", O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return done;
}

static bool filter_is(const char *text)
{
	char now[16] = "";
	int fd = open("/proc/self/coredump_filter", O_RDONLY);
	bool done = fd >= 0 && read(fd, now, sizeof(now) - 1) > 0;

	close(fd);
	return done && !strcmp(now, text);
}

static void the_filter_says_what_of_it(void)
{
	EXPECT(filter_is("00000033\n"));
	EXPECT(set_filter("0"));
	EXPECT(filter_is("00000000\n"));
	EXPECT_EQUAL(end_in(RLIM_INFINITY, abort_now), SIGABRT | 0x80); /* a child has it, too */
	EXPECT(is_core());
	EXPECT(segment_of(here) && !memory_at(here));
	forget_core();
	EXPECT(!set_filter("x"));
	EXPECT_EQUAL(errno, EINVAL);
	EXPECT(set_filter("0x33"));
}

static void it_ends_at_the_limit(void)
{
	EXPECT_EQUAL(end_in(8192, abort_now), SIGABRT | 0x80);
	EXPECT(core);
	EXPECT(core_stat.st_size <= 8192);
	forget_core();
}

/* ---- whose file it is ---- */

static int file_with(const char *name, const char *text)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? fd : -1;
}

static bool still_has(int fd, const char *text)
{
	char now[16] = "";

	return pread(fd, now, sizeof(now) - 1, 0) == (ssize_t)strlen(text) && !strcmp(now, text);
}

static void no_link_is_followed(void)
{
	int fd = file_with("other", "other");

	EXPECT(fd >= 0);
	EXPECT_EQUAL(symlink("other", "core"), 0);
	EXPECT_EQUAL(end_in(RLIM_INFINITY, abort_now), SIGABRT | 0x80);
	EXPECT(is_core());
	EXPECT(still_has(fd, "other"));
	forget_core();
	EXPECT_EQUAL(link("other", "core"), 0);
	EXPECT_EQUAL(end_in(RLIM_INFINITY, abort_now), SIGABRT | 0x80);
	EXPECT(is_core());
	EXPECT(still_has(fd, "other"));
	forget_core();
	close(fd);
	unlink("other");
}

static void what_was_there_is_replaced(void)
{
	int fd = file_with("core", "mine");

	EXPECT(fd >= 0);
	EXPECT_EQUAL(fchmod(fd, 0644), 0);
	EXPECT_EQUAL(end_in(RLIM_INFINITY, abort_now), SIGABRT | 0x80);
	EXPECT(still_has(fd, "mine"));
	EXPECT(is_core());
	EXPECT_EQUAL(core_stat.st_mode, S_IFREG | 0600);
	close(fd);
	forget_core();
	/* But no folder. */
	EXPECT_EQUAL(mkdir("core", 0700), 0);
	EXPECT_EQUAL(end_in(RLIM_INFINITY, abort_now), SIGABRT);
	EXPECT_EQUAL(rmdir("core"), 0);
	forget_core();
}

/* ---- its name ---- */

#define PATTERN "/proc/sys/kernel/core_pattern"

static bool set_pattern(const char *text)
{
	int fd = open(PATTERN, O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return done;
}

/* A host's is not ours to change. */
static void the_pattern_names_it(void)
{
	if (may_be_restricted())
		return;
	EXPECT(set_pattern("%e-%s-%u.%%"));
	EXPECT_EQUAL(end_in(RLIM_INFINITY, abort_now), SIGABRT | 0x80);
	EXPECT(!core);
	EXPECT_EQUAL(unlink("core-6-0.%"), 0);
	EXPECT(!set_pattern("|/bin/cat"));
	EXPECT_EQUAL(errno, EINVAL);
	EXPECT(set_pattern("no/such/folder"));
	EXPECT_EQUAL(end_in(RLIM_INFINITY, abort_now), SIGABRT);
	EXPECT(set_pattern("core"));
}

int main(void)
{
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);
	char pattern[8] = "";

	/* On a host it may lead elsewhere. */
	if (read(fd, pattern, sizeof(pattern)) != 5 || strcmp(pattern, "core\n") != 0)
		return may_be_restricted() ? (puts("ok nothing: cores go elsewhere"), 0) : 1;
	close(fd);
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	RUN(without_the_limit_there_is_none);
	RUN(the_status_says_that_it_is_there);
	RUN(only_certain_signals_leave_one);
	RUN(who_is_not_dumpable_leaves_none);
	RUN(it_has_the_threads_and_the_fault);
	RUN(it_has_the_memory_that_is_its_own);
	RUN(the_filter_says_what_of_it);
	RUN(it_ends_at_the_limit);
	RUN(no_link_is_followed);
	RUN(what_was_there_is_replaced);
	RUN(the_pattern_names_it);
	forget_core();
	(void)!chdir("/");
	rmdir(folder);
	return check_end();
}
