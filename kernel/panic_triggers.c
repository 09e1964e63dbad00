/*
 * The ways to break the kernel. Every function that breaks something has a name of its own that the
 * backtrace must show, so none is inlined. What needs an instruction of its own is arch/'s
 * (arch/triggers.h).
 */
#define LOG_SUBSYSTEM "trigger"

#include "panic_triggers.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/spin.h>
#include <arch/triggers.h>
#include <lib/atomic.h>
#include <lib/log.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <sched/timer.h>
#include <sched/wait.h>

struct trigger {
	const char *name;
	const char *effect;
	void (*fire)(void);
};

/* A pointer whose value the compiler cannot know. */
static volatile uint64_t *pointer_to(uint64_t address)
{
	volatile uint64_t value = address;

	return (volatile uint64_t *)value;
}

static NOINLINE void trigger_null(void)
{
	*pointer_to(8) = 1;
}

static NOINLINE void trigger_wild(void)
{
	*pointer_to(UINT64_C(0xffff800000001000)) = 1; /* in no region of the kernel's map */
}

static uint64_t trigger_overflow_level(uint64_t depth);
/* Through a pointer that the compiler does not follow: it refuses endless recursion. */
static uint64_t (*volatile next_level)(uint64_t) = trigger_overflow_level;

/* Not a tail call: something is left to do after it, and each level has an array. */
static NOINLINE uint64_t trigger_overflow_level(uint64_t depth)
{
	volatile uint64_t filler[32];

	for (unsigned i = 0; i < ARRAY_SIZE(filler); i++)
		filler[i] = depth + i;
	return next_level(depth + 1) + filler[depth % ARRAY_SIZE(filler)];
}

static NOINLINE void trigger_overflow(void)
{
	log_warn("%lu", trigger_overflow_level(0));
}

static NOINLINE void trigger_doublefault(void)
{
	machine_trigger_double_fault();
}

static NOINLINE void trigger_assert(void)
{
	volatile int answer = 41;

	assert(answer == 42);
}

static NOINLINE void trigger_divide(void)
{
	volatile int zero = 0;

	/* cppcheck-suppress zerodiv ; on purpose, as are all the ways here */
	log_warn("%d", 1 / zero); /* NOLINT */
}

static NOINLINE void trigger_protection(void)
{
	*pointer_to(UINT64_C(0x0123456789abcdef)) = 1; /* not canonical: SDM 1, 3.3.7.1 */
}

static NOINLINE void trigger_opcode(void)
{
	__builtin_trap();
}

static const uint64_t constant = 1;

static NOINLINE void trigger_rodata(void)
{
	*pointer_to((uint64_t)&constant) = 2;
}

static NOINLINE void trigger_nx(void)
{
	static uint8_t data[16] = {0xc3}; /* ret */
	void (*volatile function)(void) = (void (*)(void))(uintptr_t)data;

	function();
}

static NOINLINE void trigger_jump(void)
{
	void (*volatile function)(void) = NULL;

	/* cppcheck-suppress nullPointer */
	function(); /* NOLINT */
}

static NOINLINE void trigger_lockorder(void)
{
	struct spinlock inner = SPINLOCK_INIT(LOCK_TEST);
	struct spinlock outer = SPINLOCK_INIT(LOCK_DEVICE);

	spin_lock(&inner);
	spin_lock(&outer);
	spin_unlock(&outer);
	spin_unlock(&inner);
}

/* One word too many behind an array: the canary lies there, and is looked at on the way out. */
static NOINLINE void trigger_smash(void)
{
	volatile uint64_t array[4];
	volatile unsigned nwords = ARRAY_SIZE(array) + 1;

	for (unsigned i = 0; i < nwords; i++)
		array[i] = i;
}

/* Everybody at once: they wait for each other, for a second at most. */
static NOINLINE void trigger_race_here(void *argument)
{
	uint32_t *narrived = argument;
	uint64_t end_ns = clock_ns() + NSEC_PER_SEC;

	atomic_fetch_add_full(narrived, 1);
	while (read_once(narrived) < cpu_count() && clock_ns() < end_ns)
		cpu_relax();
	panic("everybody panics, CPU %u too", cpu_id());
}

static NOINLINE void trigger_race(void)
{
	uint32_t narrived = 0;

	cpu_call(cpuset_all(), trigger_race_here, &narrived);
}

static NOINLINE void trigger_deaf(void)
{
	machine_trigger_deaf();
	panic("one CPU is deaf");
}

/* ---- what the watchdog tells (sched/watchdog.h): with watchdog=1 on the command line ---- */

#define STUCK_NS (4 * NSEC_PER_SEC)

static NOINLINE void spin_ns(uint64_t duration_ns)
{
	uint64_t end_ns = clock_ns() + duration_ns;

	while (clock_ns() < end_ns)
		cpu_relax();
}

static NOINLINE void trigger_softlockup(void)
{
	preempt_disable();
	spin_ns(STUCK_NS);
	preempt_enable();
}

static NOINLINE void trigger_hardlockup(void)
{
	irqflags_t flags = irq_save();

	spin_ns(STUCK_NS);
	irq_restore(flags);
}

static bool over; /* atomic */
static WAITQ(waiters);

static void end_it(void *argument)
{
	(void)argument;
	write_once(&over, true);
	waitq_wake_all(&waiters);
}

static NOINLINE void trigger_hungthread(void)
{
	static struct timer timer = {.function = end_it};

	write_once(&over, false);
	timer_start(&timer, clock_ns() + STUCK_NS);
	wait_event(&waiters, read_once(&over));
}

/* What only the build that checks every access notices (preset kasan): elsewhere the class of the
 * block has room for it. */
static NOINLINE void trigger_bounds(void)
{
	volatile char *block = kmalloc(40);

	if (block)
		block[40] = 1;
	kfree((void *)block);
}

static NOINLINE void trigger_freed(void)
{
	volatile char *block = kmalloc(40);

	kfree((void *)block);
	if (block)
		log_warn("a byte of a free block: %#x", (unsigned char)block[8]); /* NOLINT */
}

static NOINLINE void trigger_variable(void)
{
	static char array[8];
	char *volatile end = array + sizeof(array);

	*end = 1;
}

static NOINLINE void trigger_signed(void)
{
	volatile int32_t number = INT32_MAX;

	/* cppcheck-suppress integerOverflow */
	number = number + 1;
}

/* ---- what the clock's watch tells (sched/clock_watch.h) ---- */

static NOINLINE void trigger_tscjump(void)
{
	machine_trigger_tsc(TSC_JUMPS);
}

static NOINLINE void trigger_tscback(void)
{
	machine_trigger_tsc(TSC_GOES_BACK);
}

static NOINLINE void trigger_tscfast(void)
{
	machine_trigger_tsc(TSC_IS_FAST);
}

static NOINLINE void trigger_tscstop(void)
{
	machine_trigger_tsc(TSC_STOPS);
}

static const struct trigger triggers[] = {
	{"null", "writes through a null pointer", trigger_null},
	{"wild", "writes where nothing is mapped", trigger_wild},
	{"overflow", "recurses until the kernel stack ends at its guard page", trigger_overflow},
	{"doublefault", "faults while a fault is delivered", trigger_doublefault},
	{"assert", "an assertion that does not hold", trigger_assert},
	{"divide", "divides by zero", trigger_divide},
	{"protection", "uses an address that is not canonical", trigger_protection},
	{"opcode", "executes an undefined instruction", trigger_opcode},
	{"rodata", "writes to a constant (W^X)", trigger_rodata},
	{"nx", "executes data (W^X)", trigger_nx},
	{"jump", "calls a null function", trigger_jump},
	{"smash", "writes over the canary of its stack frame", trigger_smash},
	{"bounds", "writes behind a block of the heap (kasan build)", trigger_bounds},
	{"freed", "reads a block of the heap that is free (kasan build)", trigger_freed},
	{"variable", "writes behind a variable (kasan build)", trigger_variable},
	{"signed", "counts over the end of a signed number (kasan build)", trigger_signed},
	{"race", "panics on all CPUs at once", trigger_race},
	{"deaf", "panics while the last CPU answers nothing any more", trigger_deaf},
	{"lockorder", "takes two locks in the wrong order (debug build)", trigger_lockorder},
};

/* Over when they return: the machine goes on, and the log has told of it. */
static const struct trigger passing[] = {
	{"softlockup", "computes for 4 s without letting go of its CPU", trigger_softlockup},
	{"hardlockup", "the same with interrupts off", trigger_hardlockup},
	{"hungthread", "waits for 4 s for what only one can end", trigger_hungthread},
	{"tscjump", "has the clock's TSC jump by 6 s; soon another source is taken",
	 trigger_tscjump},
	{"tscback", "has it go back by half of its time", trigger_tscback},
	{"tscfast", "has it count twice as fast", trigger_tscfast},
	{"tscstop", "has it stand still", trigger_tscstop},
};

static const struct trigger *trigger_at(size_t number)
{
	if (number < ARRAY_SIZE(triggers))
		return &triggers[number];
	number -= ARRAY_SIZE(triggers);
	return number < ARRAY_SIZE(passing) ? &passing[number] : NULL;
}

err_t panic_trigger_info(size_t number, struct ksh_trigger *out)
{
	const struct trigger *trigger = trigger_at(number);

	if (!trigger)
		return -ENOENT;
	string_copy(out->name, sizeof(out->name), trigger->name);
	string_copy(out->effect, sizeof(out->effect), trigger->effect);
	return 0;
}

err_t panic_trigger_fire(const char *name)
{
	const struct trigger *trigger;

	for (size_t i = 0; (trigger = trigger_at(i)); i++) {
		if (strcmp(trigger->name, name) != 0)
			continue;
		log_warn("breaking the kernel on purpose: %s", name);
		trigger->fire();
		return i < ARRAY_SIZE(triggers) ? -EIO : 0;
	}
	return -ENOENT;
}
