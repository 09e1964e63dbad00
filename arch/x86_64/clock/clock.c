/*
 * Time. Owns what the clock is made of, the offset of the wall clock, and the way to a one-shot
 * interrupt: the local APIC's timer where there is one, else the 8254. Rates are constant after
 * clock_init().
 *
 * The clock is the TSC if the CPU says it is invariant, or if a hypervisor is there, and two
 * measurements of it agree; else a counter (counter.h) if there is one; else still the TSC, and the
 * log says so. While it is the TSC and there is a counter, that one watches (watch.c), and may take
 * over, once and for good.
 *
 * The usual way to read it is the TSC and a look at `way`, in this order. A look that an interrupt
 * parts from its TSC is the later one, so whoever has changed `way` and got an answer to an
 * interrupt from each CPU knows: all readings of the old way are over.
 */
#define LOG_SUBSYSTEM "clock"

#include "clock_priv.h"

#include "interrupts.h"
#include "measure.h"
#include "vdso_priv.h"
#include "x86.h"

#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/port.h>
#include <arch/spin.h>
#include <arch/trap.h>
#include <arch/triggers.h>
#include <lib/atomic.h>
#include <lib/log.h>
#include <lib/string.h>

/* Intel 8254 data sheet. */
#define PIT_CHANNEL0  0x40
#define PIT_COMMAND   0x43
#define PIT0_ONE_SHOT 0x30 /* channel 0, both bytes, mode 0 */

/* Reads take a tenth of a microsecond at least, and the slowest counter moves in a third of one. */
#define COUNT_POLLS_MAX 10000

/* How the clock is read. */
enum clock_way {
	CLOCK_TSC,       /* the TSC alone */
	CLOCK_CORRECTED, /* each CPU's has an offset of its own */
	/* On the way to the counter: */
	CLOCK_HELD,   /* as above, and the latest that anybody was told is kept */
	CLOCK_FROZEN, /* that one */
	CLOCK_COUNTER,
};

static uint32_t way; /* atomic: release, acquire: what belongs to it is written before */

/* ns = (cycles * ns_mult) >> 32. Constant after clock_init(). */
static uint64_t ns_mult;
static uint64_t tsc_hz;
static uint64_t tsc_start;
static bool tsc_trusted;
static bool tsc_watched;
static bool tscs_differ; /* atomic, never false again */
/* Timer counts per nanosecond, shifted left by 32. */
static uint64_t timer_mult;

static const struct clock_counter *counter; /* NULL: there is none. Constant after clock_init() */
static uint64_t counter_total;              /* atomic: its ticks, without an end */
/* From when on it is the clock: constant once `way` says that it is. */
static uint64_t counter_base_ns;
static uint64_t counter_base;
static uint64_t latest_ns; /* atomic: in CLOCK_HELD */

/* The wall clock: ns + offset + ((ns - base) * rate >> 32). While it is steered they are one, which
 * `wall_sequence` (odd while they change) tells readers; else the offset alone counts. */
static uint64_t wall_offset_ns; /* atomic */
static int64_t wall_rate;       /* atomic */
static uint64_t wall_base_ns;   /* atomic */
static uint32_t wall_sequence;  /* atomic */
/* Held by who changes any of this once it has been published. */
static struct spinlock change_lock = SPINLOCK_INIT(LOCK_CLOCK);

/* ---- reading ---- */

/* In each of the counter's rounds somebody has to read it (clock_check()), or the round is lost.
 * The total is read first, so what is added was counted behind it. */
static uint64_t counter_read_total(void)
{
	uint64_t total = read_once(&counter_total);
	uint32_t since = counter_since(counter, (uint32_t)total);

	if (since > counter->mask / 4)
		(void)atomic_cas(&counter_total, &total, total + since);
	return total + since;
}

static uint64_t tsc_ns(void)
{
	return clock_scale(tsc_read() + this_cpu()->tsc_offset - tsc_start, ns_mult);
}

static uint64_t keep_latest(uint64_t ns)
{
	uint64_t latest = read_once(&latest_ns);

	while (latest < ns) {
		if (atomic_cas(&latest_ns, &latest, ns))
			return ns;
	}
	return latest;
}

/* All in one piece: the TSC belongs to its CPU, and a reading to its way. */
static NOINLINE uint64_t clock_ns_slowly(void)
{
	irqflags_t flags = irq_save();
	uint64_t ns;

	switch ((enum clock_way)load_acquire(&way)) {
	case CLOCK_COUNTER:
		ns = counter_base_ns + counter_ns(counter, counter_read_total() - counter_base);
		break;
	case CLOCK_FROZEN:
		ns = read_once(&latest_ns);
		break;
	case CLOCK_HELD:
		ns = keep_latest(tsc_ns());
		break;
	default:
		ns = tsc_ns();
		break;
	}
	irq_restore(flags);
	return ns;
}

uint64_t clock_ns(void)
{
	uint64_t tsc = tsc_read();

	/* In the last place, so that the usual way needs no stack frame: every switch asks. */
	if (unlikely(read_once(&way) != CLOCK_TSC))
		return clock_ns_slowly();
	return clock_scale(tsc - tsc_start, ns_mult);
}

/* ---- what it is made of ---- */

/* Whoever changes what clock_ns() and clock_wall_ns() are made of tells the programs. */
static void tell_programs_locked(void) REQUIRES(change_lock)
{
	vdso_set_clock(&(struct vdso_clock){.tsc_trusted = tsc_trusted && way == CLOCK_TSC,
					    .tsc_start = tsc_start,
					    .ns_mult = ns_mult,
					    .wall_offset_ns = read_once(&wall_offset_ns),
					    .wall_rate = read_once(&wall_rate),
					    .wall_base_ns = read_once(&wall_base_ns)});
}

static void set_way(enum clock_way to)
{
	irqflags_t flags = spin_lock_irqsave(&change_lock);

	store_release(&way, to); /* pairs with the acquire in clock_ns_slowly() */
	tell_programs_locked();
	spin_unlock_irqrestore(&change_lock, flags);
}

void clock_tscs_differ(void)
{
	write_once(&tscs_differ, true);
	if (read_once(&way) == CLOCK_TSC) /* the counter does not care; nobody watches yet */
		set_way(CLOCK_CORRECTED);
}

static void begin_counter(uint64_t ns)
{
	counter_base_ns = ns;
	counter_base = counter->read();
	write_once(&counter_total, counter_base);
	set_way(CLOCK_COUNTER);
}

static void nothing(void *argument)
{
	(void)argument;
}

void clock_take_counter(uint64_t right_ns, uint32_t ticks)
{
	uint64_t wrong_ns;
	irqflags_t flags;

	set_way(CLOCK_HELD);
	cpu_call(cpuset_all(), nothing, NULL); /* all readings of the TSC alone are over */
	(void)clock_ns();                      /* later than any of those */
	set_way(CLOCK_FROZEN);
	cpu_call(cpuset_all(), nothing, NULL); /* nobody keeps a later one */

	flags = irq_save();
	right_ns += counter_ns(counter, counter_since(counter, ticks));
	begin_counter(MAX(read_once(&latest_ns), right_ns));
	wrong_ns = counter_base_ns - right_ns;
	irq_restore(flags);
	if (wrong_ns)
		clock_wall_set(clock_wall_ns() - wrong_ns);
}

static const struct clock_counter *if_it_counts(const struct clock_counter *candidate)
{
	uint32_t first = candidate ? candidate->read() : 0;

	for (int polls = 0; candidate && candidate->read() == first; polls++) {
		if (polls == COUNT_POLLS_MAX) {
			log_warn("%s does not count: it is not used", candidate->name);
			candidate = NULL;
		}
	}
	return candidate;
}

/* On the command line: clock=NAME. */
static bool is_wanted(const char *name)
{
	char text[16];

	return boot_option("clock", text, sizeof(text)) && strcmp(text, name) == 0;
}

static void choose(const struct clock_counter *hpet, const struct clock_counter *pm_timer)
{
	bool wants_tsc = is_wanted("tsc");
	bool wants_counter =
		(hpet && is_wanted(hpet->name)) || (pm_timer && is_wanted(pm_timer->name));

	if (boot_option("clock", NULL, 0) && !wants_tsc && !wants_counter)
		log_warn("clock=: say tsc, hpet or acpi_pm, and one that the machine has");
	tsc_trusted |= wants_tsc;
	tsc_watched = tsc_trusted && counter && !wants_tsc;
	if (counter && (wants_counter || !tsc_trusted)) {
		tsc_watched = false;
		begin_counter(0);
	} else {
		set_way(CLOCK_TSC);
	}
	if (!tsc_trusted && !counter)
		log_warn("the TSC may drift: it is not invariant or its measurements differ");
}

static void pit_interrupt(void *argument)
{
	(void)argument;
	clock_timer_interrupt();
}

static const struct irq_handler pit_handler = {.name = "timer", .handle = pit_interrupt};

void clock_init(void)
{
	const struct clock_counter *hpet = if_it_counts(hpet_find());
	const struct clock_counter *pm_timer = if_it_counts(pm_timer_find());
	struct clock_rates rates;

	counter = hpet && !(pm_timer && is_wanted(pm_timer->name)) ? hpet : pm_timer;
	rates = clock_measure(counter);
	tsc_hz = rates.tsc_hz;
	ns_mult = (NSEC_PER_SEC << 32) / MAX(tsc_hz, 1u);
	tsc_start = tsc_read();
	tsc_trusted =
		rates.certain && (cpu_features()->invariant_tsc || cpu_features()->hypervisor);
	if (apic_present()) {
		timer_mult = rates.apic_per_ns;
	} else {
		timer_mult = ((uint64_t)PIT_HZ << 32) / NSEC_PER_SEC;
		if (irq_register(PIT_LINE, &pit_handler))
			log_err("the 8254's line is taken: no timer will ever come");
	}
	choose(hpet, pm_timer);
}

const struct clock_counter *clock_counter_that_watches(void)
{
	return tsc_watched && read_once(&way) != CLOCK_COUNTER ? counter : NULL;
}

uint64_t clock_keep_counting(void)
{
	if (read_once(&way) != CLOCK_COUNTER)
		return 0;
	(void)clock_ns();
	return counter_round_ns(counter) / 4;
}

/* ---- faults on purpose ---- */

void machine_trigger_tsc(enum tsc_fault fault)
{
	irqflags_t flags = spin_lock_irqsave(&change_lock);
	uint64_t cycles = tsc_read() - tsc_start;
	uint64_t ns = clock_scale(cycles, ns_mult);

	switch (fault) {
	case TSC_JUMPS: /* by far from whole rounds of any counter: 4.7 s or more */
		tsc_start -= 6 * tsc_hz;
		break;
	case TSC_GOES_BACK: /* by less than the round of any counter */
		tsc_start += MIN(cycles / 2, 2 * tsc_hz);
		break;
	case TSC_IS_FAST:
		tsc_start += cycles / 2;
		ns_mult *= 2;
		break;
	case TSC_STOPS: /* but for a nanosecond in some seconds */
		ns_mult = (ns >> 31) + 1;
		tsc_start = tsc_read() - (ns / ns_mult << 32) - (ns % ns_mult << 32) / ns_mult;
		break;
	}
	tell_programs_locked();
	spin_unlock_irqrestore(&change_lock, flags);
}

/* ---- the wall clock ---- */

bool clock_cycles_agree(void)
{
	return !read_once(&tscs_differ);
}

/* What it has gained at `ns` since it is steered so. */
static uint64_t wall_gained(uint64_t ns)
{
	int64_t since_ns = (int64_t)(ns - read_once(&wall_base_ns));

	return (uint64_t)((__int128)since_ns * read_once(&wall_rate) >> 32);
}

/* The time of clock_ns(), and what the wall clock is ahead of it then. */
static uint64_t read_steered(uint64_t *offset_ns)
{
	uint32_t sequence;
	uint64_t ns;

	do {
		sequence = load_acquire(&wall_sequence);
		ns = clock_ns();
		*offset_ns = read_once(&wall_offset_ns) + wall_gained(ns);
		memory_barrier();
	} while (sequence & 1 || sequence != read_once(&wall_sequence));
	return ns;
}

static NOINLINE uint64_t clock_wall_ns_steered(void)
{
	uint64_t offset_ns;
	uint64_t ns = read_steered(&offset_ns);

	return ns + offset_ns;
}

int64_t clock_wall_offset_ns(void)
{
	uint64_t offset_ns;

	(void)read_steered(&offset_ns);
	return (int64_t)offset_ns;
}

uint64_t clock_wall_ns(void)
{
	/* Acquire: when it is steered no more, what it gained is in the offset. */
	if (unlikely(load_acquire(&wall_rate)))
		return clock_wall_ns_steered();
	return clock_ns() + read_once(&wall_offset_ns);
}

/* One that reads between the steps below either sees the rate, and waits for the sequence to be
 * even, or an offset that is right without it. */
static void change_wall_locked(uint64_t offset_ns, uint64_t base_ns, int64_t rate)
	REQUIRES(change_lock)
{
	(void)atomic_fetch_add_full(&wall_sequence, 1);
	if (rate)
		write_once(&wall_rate, rate);
	memory_barrier();
	write_once(&wall_base_ns, base_ns);
	write_once(&wall_offset_ns, offset_ns);
	store_release(&wall_rate, rate);
	(void)atomic_fetch_add_full(&wall_sequence, 1);
	tell_programs_locked();
}

void clock_wall_set(uint64_t wall_ns)
{
	irqflags_t flags = spin_lock_irqsave(&change_lock);
	uint64_t now_ns = clock_ns();

	change_wall_locked(wall_ns - now_ns, now_ns, wall_rate);
	spin_unlock_irqrestore(&change_lock, flags);
}

void clock_wall_step(int64_t forward_ns)
{
	irqflags_t flags = spin_lock_irqsave(&change_lock);
	uint64_t now_ns = clock_ns();

	change_wall_locked(wall_offset_ns + wall_gained(now_ns) + (uint64_t)forward_ns, now_ns,
			   wall_rate);
	spin_unlock_irqrestore(&change_lock, flags);
}

void clock_wall_steer(int64_t rate)
{
	irqflags_t flags = spin_lock_irqsave(&change_lock);
	uint64_t now_ns = clock_ns();

	change_wall_locked(wall_offset_ns + wall_gained(now_ns), now_ns, rate);
	spin_unlock_irqrestore(&change_lock, flags);
}

uint64_t clock_cycles(void)
{
	return tsc_read();
}

uint64_t clock_cycles_hz(void)
{
	return tsc_hz;
}

const char *clock_source_name(void)
{
	if (load_acquire(&way) == CLOCK_COUNTER)
		return counter->name;
	if (tsc_watched)
		return counter->watching;
	return tsc_trusted ? "tsc" : "tsc (unchecked)";
}

const char *clock_timer_name(void)
{
	return apic_present() ? "local APIC" : "8254";
}

/* ---- the timer ---- */

void pit_set(uint32_t count)
{
	port_out8(PIT_COMMAND, PIT0_ONE_SHOT);
	port_out8(PIT_CHANNEL0, count & 0xff);
	port_out8(PIT_CHANNEL0, (uint8_t)(count >> 8));
}

void clock_set_timer(uint64_t deadline_ns)
{
	uint64_t now = clock_ns();
	uint64_t count;

	if (deadline_ns == UINT64_MAX) {
		if (apic_present())
			apic_timer_set(0);
		return; /* the 8254's last shot may still come; whoever gets it finds nothing due */
	}
	count = clock_scale(deadline_ns > now ? MIN(deadline_ns - now, 4 * NSEC_PER_SEC) : 0,
			    timer_mult) +
		1;
	if (apic_present())
		apic_timer_set((uint32_t)MIN(count, (uint64_t)UINT32_MAX));
	else
		pit_set((uint32_t)MIN(count, 0xffffu));
}
