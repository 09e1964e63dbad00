/*
 * The vDSO: found as a C library finds it, and its answers lie between those of system calls.
 */
#include <elf.h>
#include <sched.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define ROUNDS   2000
#define NS_PER_S 1000000000LL

struct image {
	const char *base;
	const char *strings;
	const Elf64_Sym *symbols;
	const uint32_t *hash;
	const uint16_t *versions;
	const Elf64_Verdef *definitions;
	const char *name;
};

static struct image image;
static int (*vdso_clock_gettime)(clockid_t, struct timespec *);
static int (*vdso_clock_getres)(clockid_t, struct timespec *);
static int (*vdso_gettimeofday)(struct timeval *, void *);
static int (*vdso_getcpu)(unsigned *, unsigned *, void *);
static time_t (*vdso_time)(time_t *);

static void read_dynamic(const Elf64_Dyn *dynamic)
{
	uint64_t name = 0;

	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		const void *at = image.base + dynamic->d_un.d_ptr;

		switch (dynamic->d_tag) {
		case DT_STRTAB:
			image.strings = at;
			break;
		case DT_SYMTAB:
			image.symbols = at;
			break;
		case DT_HASH:
			image.hash = at;
			break;
		case DT_VERSYM:
			image.versions = at;
			break;
		case DT_VERDEF:
			image.definitions = at;
			break;
		case DT_SONAME:
			name = dynamic->d_un.d_val;
			break;
		}
	}
	image.name = image.strings ? image.strings + name : NULL;
}

static int has_version(unsigned symbol, const char *version)
{
	const char *at = (const char *)image.definitions;

	for (;;) {
		const Elf64_Verdef *definition = (const Elf64_Verdef *)at;
		const Elf64_Verdaux *name = (const Elf64_Verdaux *)(at + definition->vd_aux);

		if (definition->vd_ndx == (image.versions[symbol] & 0x7fff))
			return strcmp(image.strings + name->vda_name, version) == 0;
		if (!definition->vd_next)
			return 0;
		at += definition->vd_next;
	}
}

static void *find(const char *name)
{
	for (unsigned i = 0; i < image.hash[1]; i++) {
		const Elf64_Sym *symbol = &image.symbols[i];

		if (strcmp(image.strings + symbol->st_name, name) == 0 && symbol->st_shndx &&
		    has_version(i, "LINUX_2.6"))
			return (void *)(image.base + symbol->st_value);
	}
	return NULL;
}

static void it_is_a_shared_object_with_linux_names(void)
{
	const Elf64_Ehdr *header = (const void *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Phdr *segments;

	EXPECT(header);
	EXPECT(memcmp(header->e_ident, ELFMAG, SELFMAG) == 0);
	EXPECT_EQUAL(header->e_type, ET_DYN);
	segments = (const void *)((const char *)header + header->e_phoff);
	image.base = (const char *)header;
	for (unsigned i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD)
			image.base -= segments[i].p_vaddr - segments[i].p_offset;
	for (unsigned i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_DYNAMIC)
			read_dynamic((const void *)(image.base + segments[i].p_vaddr));
	EXPECT(image.strings && image.symbols && image.hash && image.versions);
	EXPECT(strcmp(image.name, "linux-vdso.so.1") == 0);
	*(void **)&vdso_clock_gettime = find("__vdso_clock_gettime");
	*(void **)&vdso_clock_getres = find("__vdso_clock_getres");
	*(void **)&vdso_gettimeofday = find("__vdso_gettimeofday");
	*(void **)&vdso_getcpu = find("__vdso_getcpu");
	*(void **)&vdso_time = find("__vdso_time");
	EXPECT(vdso_clock_gettime && vdso_clock_getres && vdso_gettimeofday);
	EXPECT(vdso_getcpu && vdso_time);
}

static int64_t ns_of(const struct timespec *time)
{
	return time->tv_sec * NS_PER_S + time->tv_nsec;
}

static int64_t by_call(clockid_t clock)
{
	struct timespec time = {0};

	syscall(SYS_clock_gettime, clock, &time);
	return ns_of(&time);
}

/* Of the fine clocks; coarse ones stand still between ticks on Linux. */
static void clocks_agree_with_the_calls(void)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
					   CLOCK_BOOTTIME};

	EXPECT(vdso_clock_gettime);
	for (unsigned i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		for (unsigned round = 0; round < ROUNDS; round++) {
			int64_t before = by_call(clocks[i]);
			struct timespec time;
			int64_t after;

			EXPECT_EQUAL(vdso_clock_gettime(clocks[i], &time), 0);
			after = by_call(clocks[i]);
			EXPECT(time.tv_nsec >= 0 && time.tv_nsec < NS_PER_S);
			EXPECT(before <= ns_of(&time) && ns_of(&time) <= after);
		}
	}
}

static void what_it_does_not_know_it_asks(void)
{
	struct timespec time = {0};

	EXPECT(vdso_clock_gettime && vdso_clock_getres);
	EXPECT_EQUAL(vdso_clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), 0);
	EXPECT(ns_of(&time) > 0);
	EXPECT_EQUAL(vdso_clock_gettime(4711, &time), -EINVAL);
	EXPECT_EQUAL(vdso_clock_gettime(-1234, &time), -EINVAL);
	EXPECT_EQUAL(vdso_clock_getres(4711, &time), -EINVAL);
	EXPECT_EQUAL(vdso_clock_getres(CLOCK_MONOTONIC, &time), 0);
	EXPECT_EQUAL(ns_of(&time), 1);
	EXPECT_EQUAL(vdso_clock_getres(CLOCK_MONOTONIC, NULL), 0);
}

static void time_of_day_agrees(void)
{
	struct timeval now = {0};
	time_t seconds;
	int64_t before = by_call(CLOCK_REALTIME);
	int64_t ns;

	EXPECT(vdso_gettimeofday && vdso_time);
	EXPECT_EQUAL(vdso_gettimeofday(&now, NULL), 0);
	ns = now.tv_sec * NS_PER_S + now.tv_usec * 1000;
	EXPECT(ns >= before - 1000 && ns <= by_call(CLOCK_REALTIME));
	EXPECT(vdso_time(&seconds) >= before / NS_PER_S - 1);
	EXPECT(seconds <= by_call(CLOCK_REALTIME) / NS_PER_S);
	EXPECT(vdso_time(NULL) >= seconds);
}

static void getcpu_names_a_processor_that_it_may_run_on(void)
{
	unsigned cpu = ~0u, node = ~0u;
	unsigned asked = ~0u;
	int same = 0;

	EXPECT(vdso_getcpu);
	/* Between the two it may move, but not every time. */
	for (unsigned i = 0; i < ROUNDS && !same; i++) {
		EXPECT_EQUAL(vdso_getcpu(&cpu, &node, NULL), 0);
		EXPECT_EQUAL(syscall(SYS_getcpu, &asked, NULL, NULL), 0);
		same = cpu == asked;
	}
	EXPECT(same);
	EXPECT_EQUAL(node, 0);
	EXPECT_EQUAL(vdso_getcpu(NULL, NULL, NULL), 0);
}

/* Wherever the thread moves in the meantime. */
static void time_never_goes_back(void)
{
	struct timespec time;
	int64_t last = 0;

	EXPECT(vdso_clock_gettime);
	for (unsigned i = 0; i < 50 * ROUNDS; i++) {
		EXPECT_EQUAL(vdso_clock_gettime(CLOCK_MONOTONIC, &time), 0);
		EXPECT(ns_of(&time) >= last);
		last = ns_of(&time);
		if (i % 1000 == 0)
			sched_yield();
	}
}

static void its_pages_cannot_be_written(void)
{
	const char *data = image.base - 4096;

	/* By a call that would write there: EFAULT, and the program lives. */
	EXPECT_EQUAL(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, image.base), -1);
	EXPECT_EQUAL(errno, EFAULT);
	EXPECT_EQUAL(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, data), -1);
	EXPECT_EQUAL(errno, EFAULT);
}

int main(void)
{
	RUN(it_is_a_shared_object_with_linux_names);
	RUN(clocks_agree_with_the_calls);
	RUN(what_it_does_not_know_it_asks);
	RUN(time_of_day_agrees);
	RUN(getcpu_names_a_processor_that_it_may_run_on);
	RUN(time_never_goes_back);
	RUN(its_pages_cannot_be_written);
	return check_end();
}
