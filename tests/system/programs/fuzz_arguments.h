/*
 * What fuzz_calls gives to system calls: values by the kind of an argument (fuzz_table.h, made of
 * abi/syscalls.def), memory with something in it, and what earlier calls returned.
 */
#ifndef FUZZ_ARGUMENTS_H
#define FUZZ_ARGUMENTS_H

#include <stdnoreturn.h>

#include "fuzz_table.h"

#define FUZZ_NUMBERS 1100
#define PAGE         4096ul
#define BUFFER_PAGES 8
#define REMEMBERED   16

struct random {
	uint64_t state;
};

struct chosen {
	long number;
	uint64_t arguments[6];
	long makes_child;
};

enum kind {
	NONE,
	FD,
	PATH,
	STRING,
	STRINGS,
	POINTER,
	TIME,
	LENGTH,
	OFFSET,
	ADDRESS,
	PID,
	SIGNAL,
	ID,
	USER_ID,
	NUMBER,
	OPEN_FLAGS,
	MAP_FLAGS,
	CLONE_FLAGS,
	BITS,
};

struct table_entry {
	long number;
	const char *name;
	enum kind kinds[6];
};

#define CALL(number, name, a, b, c, d, e, f) {number, #name, {a, b, c, d, e, f}},
static const struct table_entry table[] = {FUZZ_TABLE};
#undef CALL
#define NCALLS (sizeof(table) / sizeof(*table))

static pid_t supervisor;
static char *buffer;   /* BUFFER_PAGES, then one that nobody may touch */
static char *readable; /* a page that cannot be written */
static char *stack_block;
static volatile uint64_t child_seed;
static volatile int in_child;

/* What earlier calls of this process returned, by what it may be. Threads share it and race. */
static volatile uint64_t known_fds[REMEMBERED], known_ids[REMEMBERED], known_addresses[REMEMBERED];
static volatile uint64_t known_pids[REMEMBERED];

static inline const char *call_name(unsigned number)
{
	for (size_t i = 0; i < NCALLS; i++) {
		if (table[i].number == number)
			return table[i].name;
	}
	return NULL;
}

/* ---- random numbers ---- */

static inline uint64_t random_next(struct random *random)
{
	uint64_t x = random->state ? random->state : 1;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	random->state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

static inline unsigned random_below(struct random *random, unsigned limit)
{
	return (unsigned)((random_next(random) >> 33) % limit);
}

static inline bool one_in(struct random *random, unsigned n)
{
	return random_below(random, n) == 0;
}

#define PICK(random, array) (array)[random_below(random, sizeof(array) / sizeof(*(array)))]

/* ---- values ---- */

static inline uint64_t any_bits(struct random *random)
{
	static const uint64_t edges[] = {0,         1,         -1ul,
					 INT32_MAX, 1ul << 31, UINT32_MAX,
					 INT64_MAX, 1ul << 63, 0x7fffffff - 4095};

	switch (random_below(random, 14)) {
	case 0:
		return PICK(random, edges);
	case 1:
		return 1ul << random_below(random, 32) | 1ul << random_below(random, 32);
	case 2:
		return 1ul << random_below(random, 32);
	case 3:
		return one_in(random, 4) ? random_next(random) : random_below(random, 256);
	case 4:
	case 5:
	case 6:
		return random_below(random, 20);
	case 7:
	case 8:
	case 9:
		return random_below(random, 4);
	default:
		return 0;
	}
}

static inline uint64_t some_flags(struct random *random, const uint64_t *flags, unsigned nflags)
{
	uint64_t sum = 0;

	for (unsigned left = random_below(random, 5); left; left--)
		sum |= flags[random_below(random, nflags)];
	return one_in(random, 20) ? sum | any_bits(random) : sum;
}

#define SOME(random, array) some_flags(random, array, sizeof(array) / sizeof(*(array)))

static const uint64_t open_flags[] = {
	O_RDWR,    O_WRONLY,   O_CREAT,     O_CREAT,    O_EXCL,     O_TRUNC,
	O_APPEND,  O_PATH,     O_DIRECTORY, O_NOFOLLOW, O_TMPFILE,  O_SYNC,
	O_CLOEXEC, O_NONBLOCK, O_NOCTTY,    O_NONBLOCK, O_NONBLOCK, O_DIRECT,
};
static const uint64_t map_flags[] = {
	MAP_PRIVATE,
	MAP_PRIVATE | MAP_ANONYMOUS,
	MAP_SHARED | MAP_ANONYMOUS,
	MAP_SHARED,
	MAP_FIXED,
	MAP_FIXED_NOREPLACE,
	MAP_POPULATE,
	MAP_LOCKED,
	MAP_GROWSDOWN,
	MAP_NORESERVE,
	MAP_STACK,
	MAP_SHARED_VALIDATE,
	0x40 /* MAP_32BIT */,
};
static const uint64_t clone_flags[] = {
	SIGCHLD,
	SIGCHLD,
	CLONE_VM,
	CLONE_VM | CLONE_VFORK,
	CLONE_FS,
	CLONE_FILES,
	CLONE_SIGHAND | CLONE_VM,
	CLONE_VM | CLONE_SIGHAND | CLONE_THREAD,
	CLONE_SYSVSEM,
	CLONE_SETTLS,
	CLONE_PARENT_SETTID,
	CLONE_CHILD_CLEARTID,
	CLONE_CHILD_SETTID,
	CLONE_PARENT,
	CLONE_PTRACE,
	CLONE_NEWNS,
	CLONE_NEWPID,
	CLONE_PIDFD,
	0x100000000 /* CLONE_CLEAR_SIGHAND */,
};

static const uint64_t spawn_flags[] = {1, 2, 4, 8, 16, 32, 64};

static const char *const paths[] = {
	"a",
	"b",
	"dir",
	"dir/x",
	"dir/y",
	"link",
	"loop",
	"nothing",
	"self",
	"true",
	"fifo",
	"sock",
	"",
	".",
	"dir/..",
	"a/b",
	"missing/x",
	"/proc/self/status",
	"/proc/self/fd/5",
	"/proc/self/mem",
	"/dev/null",
	"self/task",
	"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
	"dd"
	"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
	"dd"
	"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
	"dd",
};
static const char *const strings[] = {
	"tmpfs",
	"proc",
	"devpts",
	"fuse",
	"mqueue",
	"user.x",
	"trusted.y",
	"queue",
	"",
	"mode=700",
	"system.posix_acl_access",
	"memory",
};
static const char *const arguments_list[] = {"true", "x", NULL};

/* Somewhere in the buffer, mostly: at its beginning, right before its end, across it. */
static inline uint64_t any_pointer(struct random *random)
{
	char *end = buffer + BUFFER_PAGES * PAGE;
	static const uint64_t elsewhere[] = {
		0,
		1,
		0x1000,
		0x7ffffffff000,
		0x7fffffffefff,
		0x800000000000,
		0xffff800000000000,
		0xffffffff80000000,
		-1ul,
		-4096ul,
		-8ul,
	};

	switch (random_below(random, 16)) {
	case 0:
		return (uint64_t)end - (1u << random_below(random, 8));
	case 1:
		return (uint64_t)end - random_below(random, 64);
	case 2:
		return (uint64_t)end + random_below(random, 64); /* not to be touched */
	case 3:
		return (uint64_t)readable + random_below(random, 64);
	case 4:
		return PICK(random, elsewhere);
	case 5:
		return one_in(random, 2) ? 0 : PICK(random, known_addresses);
	case 6:
		return (uint64_t)&random_next; /* code */
	default:
		return (uint64_t)buffer + random_below(random, 16) * 256;
	}
}

static inline uint64_t any_fd(struct random *random)
{
	switch (random_below(random, 12)) {
	case 0:
		return any_bits(random);
	case 1:
	case 2:
		return (uint64_t)(int64_t)AT_FDCWD;
	case 3:
	case 4:
		return PICK(random, known_fds);
	default:
		return random_below(random, 40);
	}
}

static inline uint64_t any_pid(struct random *random)
{
	switch (random_below(random, 8)) {
	case 0:
	case 1:
		return 0;
	case 2:
		return any_bits(random);
	case 3:
		return (uint64_t)syscall(SYS_gettid);
	case 4:
		return -PICK(random, known_pids);
	case 5:
		return (uint64_t)syscall(SYS_getpid);
	default:
		return PICK(random, known_pids);
	}
}

static inline uint64_t any_length(struct random *random)
{
	switch (random_below(random, 12)) {
	case 0:
		return any_bits(random);
	case 1:
		return BUFFER_PAGES * PAGE;
	case 2:
		return random_below(random, 64) * PAGE;
	case 3:
		return random_below(random, 70000);
	case 4:
		return 8; /* of a set of signals */
	default:
		return random_below(random, 300);
	}
}

static inline uint64_t any_address(struct random *random)
{
	switch (random_below(random, 5)) {
	case 0:
		return 0;
	case 1:
		return any_pointer(random);
	case 2:
		return 0x100000000 + random_below(random, 4096) * PAGE;
	default:
		return PICK(random, known_addresses) + random_below(random, 4) * PAGE;
	}
}

/* Words that could be numbers, descriptors, pointers with lengths, times. */
static inline void fill(struct random *random, uint64_t *words, unsigned nwords)
{
	for (unsigned i = 0; i < nwords; i++) {
		switch (random_below(random, 8)) {
		case 0:
			words[i] = any_pointer(random);
			if (i + 1 < nwords)
				words[++i] = any_length(random);
			break;
		case 1:
			words[i] = any_fd(random) | any_bits(random) << 32;
			break;
		case 2:
			words[i] = (uint64_t)PICK(random, paths);
			break;
		case 3:
			words[i] = random_below(random, 3000000);
			break;
		case 4:
			words[i] = any_bits(random) | any_bits(random) << 32;
			break;
		case 5:
			words[i] = any_pid(random);
			break;
		default:
			words[i] = random_below(random, 4);
		}
	}
}

/* What some calls want to find: an address of a socket, the head of capget's, a set of signals. */
static inline void fill_known(struct random *random, uint64_t *words)
{
	static const char address[] = "\1\0sock";

	switch (random_below(random, 6)) {
	case 0:
		memcpy(words, address, sizeof(address));
		break;
	case 1:
		words[0] = 0x20080522;
		break;
	case 2:
		words[0] = 1ul << random_below(random, 64);
		break;
	case 3: /* for *msg: no name, one piece */
		words[0] = words[1] = words[4] = words[5] = 0;
		words[2] = (uint64_t)&words[8];
		words[3] = 1;
		words[8] = (uint64_t)buffer;
		words[9] = random_below(random, 300);
		break;
	default: /* an interval and a time */
		words[0] = words[2] = 0;
		words[1] = random_below(random, 2000000);
		words[3] = random_below(random, 2000000);
	}
}

static inline uint64_t any_time(struct random *random)
{
	struct timespec *time =
		(struct timespec *)(buffer + 7 * PAGE + random_below(random, 8) * 64);

	if (one_in(random, 6))
		return any_pointer(random);
	/* Two of them, for intervals. */
	for (int i = 0; i < 2; i++)
		time[i] = (struct timespec){one_in(random, 8) ? (long)any_bits(random) : 0,
					    (long)random_below(random, 2000000)};
	return (uint64_t)time;
}

static inline uint64_t any_value(struct random *random, enum kind kind)
{
	switch (kind) {
	case FD:
		return any_fd(random);
	case PATH:
		return one_in(random, 20) ? any_pointer(random) : (uint64_t)PICK(random, paths);
	case STRING:
		return one_in(random, 10) ? any_pointer(random) : (uint64_t)PICK(random, strings);
	case STRINGS:
		return one_in(random, 10) ? any_pointer(random) : (uint64_t)arguments_list;
	case POINTER:
		return any_pointer(random);
	case TIME:
		return any_time(random);
	case LENGTH:
		return any_length(random);
	case OFFSET:
		return one_in(random, 4) ? any_bits(random) : random_below(random, 70000);
	case ADDRESS:
		return any_address(random);
	case PID:
		return any_pid(random);
	case SIGNAL:
		return one_in(random, 10) ? any_bits(random) : random_below(random, 66);
	case ID:
		return one_in(random, 4) ? any_bits(random) : PICK(random, known_ids);
	case USER_ID:
		return one_in(random, 2) ? (one_in(random, 2) ? 0 : 1000) : any_bits(random);
	case OPEN_FLAGS:
		return SOME(random, open_flags);
	case MAP_FLAGS:
		return SOME(random, map_flags);
	case CLONE_FLAGS:
		return SOME(random, clone_flags);
	default:
		return any_bits(random);
	}
}

#endif
