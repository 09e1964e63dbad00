/*
 * The copy between two programs' memories, while that of one is taken away under it: a program
 * writes to a driver and reads from it past the page cache, and another thread of it maps anew,
 * forks, protects and truncates what the bytes lie in. Nobody ever sees anything but what was put
 * there. An argument: how many pages are to be copied (fuse_copying 1000000).
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fuse_driver.h"

#define PAGE      4096
#define NPAGES    16
#define BYTES     (NPAGES * PAGE)
#define BY_WRITER 'w'
#define BY_DRIVER 'r'

static unsigned long npages = 4000;
static char *area;        /* BYTES at a fixed place, of changing kinds */
static int truncated;     /* the file of one kind */
static bool over;         /* atomic */
static unsigned nchanges; /* atomic */
static unsigned nbad;     /* atomic: bytes that nobody has put anywhere */
static unsigned nmoved;   /* by the main thread */

/* ---- the driver: it writes what it reads nowhere, and answers with its own ---- */

static void look(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] && bytes[i] != BY_WRITER && bytes[i] != BY_DRIVER)
			__atomic_fetch_add(&nbad, 1, __ATOMIC_RELAXED);
	}
}

static bool serves(const struct fuse_in_header *in, const void *arguments)
{
	const struct fuse_write_in *write = arguments;
	struct fuse_write_out out;

	if (in->opcode != FUSE_WRITE)
		return false;
	out = (struct fuse_write_out){.size = write->size};
	look((const char *)(write + 1), write->size);
	answer(in->unique, 0, &out, sizeof(out));
	return true;
}

/* ---- who takes the memory away ---- */

static void map_anew(int flags, int fd)
{
	if (mmap(area, BYTES, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) != area)
		abort();
}

static void fork_once(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void change(unsigned kind)
{
	switch (kind % 8) {
	case 0:
		map_anew(MAP_PRIVATE | MAP_ANONYMOUS, -1);
		break;
	case 1:
		fork_once();
		break;
	case 2:
		madvise(area, BYTES, MADV_DONTNEED);
		break;
	case 3:
		mprotect(area + PAGE, PAGE, PROT_NONE);
		break;
	case 4:
		mprotect(area, BYTES, PROT_READ | PROT_WRITE);
		break;
	case 5:
		map_anew(MAP_SHARED, truncated);
		break;
	case 6:
		if (ftruncate(truncated, 0) || ftruncate(truncated, BYTES))
			abort();
		break;
	default:
		munmap(area + 2 * PAGE, PAGE);
		break;
	}
}

static void *take_away(void *unused)
{
	for (unsigned i = 0; !__atomic_load_n(&over, __ATOMIC_ACQUIRE); i++) {
		change(i);
		__atomic_fetch_add(&nchanges, 1, __ATOMIC_RELEASE);
	}
	return unused;
}

/* ---- who writes and reads ---- */

/* What is there may be gone at any time, so the kernel looks for us. */
static void put(const char *from)
{
	struct iovec source = {(void *)(uintptr_t)from, BYTES}, target = {area, BYTES};

	(void)!process_vm_writev(getpid(), &source, 1, &target, 1, 0);
}

static void get(char *to)
{
	struct iovec source = {area, BYTES}, target = {to, BYTES};
	ssize_t got = process_vm_readv(getpid(), &target, 1, &source, 1, 0);

	if (got > 0)
		look(to, (size_t)got);
}

static bool may_be(ssize_t result)
{
	nmoved += result > 0;
	return result >= 0 || errno == EFAULT;
}

static void nothing_else_is_seen_while_memory_goes(void)
{
	static char mine[BYTES], copy[BYTES];
	char path[] = "/tmp/copying.XXXXXX";
	pthread_t other;
	bool good = true;
	int fd;

	EXPECT(driver_begin(0));
	driver.open_flags = FOPEN_DIRECT_IO;
	driver.serves = serves;
	driver.size = 2 * BYTES;
	memset(driver.data, BY_DRIVER, driver.size);
	truncated = mkstemp(path);
	EXPECT(truncated >= 0 && unlink(path) == 0 && ftruncate(truncated, BYTES) == 0);
	area = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(area != MAP_FAILED);
	fd = open(FILE_AT, O_RDWR);
	EXPECT(fd >= 0);
	memset(mine, BY_WRITER, BYTES);
	EXPECT_EQUAL(pthread_create(&other, NULL, take_away, NULL), 0);
	for (unsigned long i = 0; good && i < npages / 2 / NPAGES; i++) {
		put(mine);
		good = may_be(pwrite(fd, area + i % 64, BYTES - 64, 0)) &&
		       may_be(pread(fd, area, BYTES, 0));
		get(copy);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	pthread_join(other, NULL);
	EXPECT(good);
	EXPECT_EQUAL(nbad, 0);
	EXPECT(nmoved > 0 && nchanges > 0);
	close(fd);
	driver_end();
}

int main(int argc, char **argv)
{
	if (argc > 1)
		npages = strtoul(argv[1], NULL, 10);
	if (!driver_possible())
		return may_be_restricted() ? 0 : 1;
	RUN(nothing_else_is_seen_while_memory_goes);
	driver_over();
	return check_end();
}
