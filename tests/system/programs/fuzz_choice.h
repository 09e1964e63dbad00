/*
 * Which call fuzz_calls makes next, and making it.
 *
 * What is kept out, by its arguments: the supervisor's own process and all processes at once, the
 * words that make reboot() do something, and a new root for everybody.
 */
#ifndef FUZZ_CHOICE_H
#define FUZZ_CHOICE_H

#include "fuzz_arguments.h"

#define NATIVE_SPAWN 1024

static inline bool is_forbidden_pid(uint64_t value)
{
	int32_t pid = (int32_t)value;

	return pid == supervisor || pid == -supervisor || pid == 1 || pid == -1;
}

/* See the head of the file. */
static inline void tame(const struct table_entry *entry, uint64_t *arguments)
{
	bool by_group = entry->number == SYS_setpriority || entry->number == SYS_waitid;

	for (unsigned i = 0; i < 6; i++) {
		if ((entry->kinds[i] == PID || by_group) && is_forbidden_pid(arguments[i]))
			arguments[i] = 0;
	}
	switch (entry->number) {
	case SYS_reboot:
		if ((uint32_t)arguments[0] == 0xfee1dead)
			arguments[0] = 0;
		break;
	case SYS_pivot_root:
		arguments[0] = (uint64_t) "/";
		break;
	case SYS_clone:
		if (one_in(&(struct random){arguments[1] ^ arguments[0]}, 2))
			arguments[1] = 0;
		if (arguments[0] & CLONE_VM && !(arguments[0] & CLONE_VFORK))
			arguments[1] = (uint64_t)stack_block + 4 * PAGE;
		break;
	default:
		break;
	}
}

static inline bool makes_child(long number)
{
	return number == SYS_fork || number == SYS_vfork || number == SYS_clone ||
	       number == SYS_clone3;
}

static inline void fill_clone3(struct random *random, uint64_t *words)
{
	words[0] = SOME(random, clone_flags) & ~0xfful;
	words[4] = one_in(random, 4) ? any_bits(random) : SIGCHLD;
	words[5] = one_in(random, 2) ? 0 : (uint64_t)stack_block;
	words[6] = words[5] ? 4 * PAGE : 0;
	words[8] = words[9] = words[10] = 0;
}

/* A struct abi_spawn with one action behind it. */
static inline void fill_spawn(struct random *random, uint64_t *words)
{
	static const char *const programs[] = {"missing/x", "true", NULL};

	words[0] = SOME(random, spawn_flags);
	words[3] = (uint32_t)words[3] | (uint64_t)(uint32_t)AT_FDCWD << 32;
	words[5] = (uint64_t)(words + 10);
	words[6] = random_below(random, 2);
	words[7] = one_in(random, 8) ? any_pointer(random) : (uint64_t)programs;
	words[8] = one_in(random, 8) ? any_pointer(random) : (uint64_t)arguments_list;
	words[9] = 0;
	words[10] = random_below(random, 7) | (uint64_t)random_below(random, 40) << 32;
	words[11] = random_below(random, 40) | SOME(random, open_flags) << 32;
	words[12] = any_bits(random) & 07777;
	words[13] = (uint64_t)PICK(random, paths);
}

/* Those that end a worker are rare, so that the others have something to build on. */
static inline const struct table_entry *choose_entry(struct random *random)
{
	const struct table_entry *entry = &PICK(random, table);

	while ((entry->number == SYS_exit || entry->number == SYS_exit_group ||
		entry->number == SYS_rt_sigreturn || entry->number == SYS_execve ||
		entry->number == SYS_execveat) &&
	       !one_in(random, 10))
		entry = &PICK(random, table);
	return entry;
}

static inline void choose_call(struct random *random, struct chosen *call)
{
	const struct table_entry *entry = choose_entry(random);
	uint64_t *words = (uint64_t *)(buffer + random_below(random, 16) * 256);

	call->number = entry->number;
	call->makes_child = makes_child(entry->number);
	fill(random, words, 16);
	if (one_in(random, 3))
		fill_known(random, words);
	for (unsigned i = 0; i < 6; i++)
		call->arguments[i] = any_value(random, entry->kinds[i]);
	/* Half of all pointers lead to what was just written. */
	for (unsigned i = 0; i < 6; i++) {
		if (entry->kinds[i] == POINTER && one_in(random, 2))
			call->arguments[i] = (uint64_t)words;
	}
	if (entry->number == SYS_clone3 && !one_in(random, 4)) {
		fill_clone3(random, words);
		call->arguments[0] = (uint64_t)words;
		call->arguments[1] = 88;
	}
	if (entry->number == NATIVE_SPAWN && !one_in(random, 4)) {
		fill_spawn(random, words);
		call->arguments[0] = (uint64_t)words;
		call->arguments[1] = 80;
	}
	tame(entry, call->arguments);
	child_seed = random_next(random);
}

/* The call alone, and nothing of the C library: a new thread may have no storage of its own. What
 * the call makes goes to fuzz_child(), on its stack. */
static inline long raw_call(const struct chosen *call)
{
	register uint64_t r10 __asm__("r10") = call->arguments[3];
	register uint64_t r8 __asm__("r8") = call->arguments[4];
	register uint64_t r9 __asm__("r9") = call->arguments[5];
	register long child __asm__("r12") = call->makes_child;
	long result;

	__asm__ volatile("syscall\n"
			 "test %%rax, %%rax\n"
			 "jnz 1f\n"
			 "test %%r12, %%r12\n"
			 "jz 1f\n"
			 "and $-16, %%rsp\n"
			 "call fuzz_child\n"
			 "1:\n"
			 : "=a"(result)
			 : "a"(call->number), "D"(call->arguments[0]), "S"(call->arguments[1]),
			   "d"(call->arguments[2]), "r"(r10), "r"(r8), "r"(r9), "r"(child)
			 : "rcx", "r11", "memory");
	return result;
}

static inline void leave(void)
{
	const struct chosen exit_thread = {.number = SYS_exit};

	raw_call(&exit_thread);
}

static inline void remember(struct random *random, const struct chosen *call, long result)
{
	unsigned at = random_below(random, REMEMBERED);

	if (call->makes_child)
		known_pids[at] = (uint64_t)result;
	else if (result >= 0x10000)
		known_addresses[at] = (uint64_t)result & ~(PAGE - 1);
	else if (call->number == SYS_shmget || call->number == SYS_semget ||
		 call->number == SYS_msgget || call->number == SYS_timer_create)
		known_ids[at] = (uint64_t)result;
	else if (result > 2)
		known_fds[at] = (uint64_t)result;
}

static inline void arguments_init(void)
{
	/* What may be unmapped, protected, locked, while the buffer stays. */
	char *play = mmap(NULL, REMEMBERED * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	buffer = mmap(NULL, (BUFFER_PAGES + 1) * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(buffer + BUFFER_PAGES * PAGE, PAGE, PROT_NONE);
	readable = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_block =
		mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (unsigned i = 0; i < REMEMBERED; i++) {
		known_fds[i] = 3 + i;
		known_addresses[i] = (uint64_t)(play + i * PAGE);
	}
}

#endif
