/*
 * Time. Owns the rate of the TSC, the offset of the wall clock, and the way to a one-shot
 * interrupt: the local APIC's timer where there is one, else the 8254. Rates are constant after
 * clock_init(); the wall offset is one atomic word.
 *
 * The TSC is trusted if the CPU says it is invariant, or if a hypervisor is there and two
 * measurements against the 8254 agree. If neither holds it is still the clock, since there is no
 * better one yet, and the log says so.
 */
#define LOG_SUBSYSTEM "clock"

#include "clock_priv.h"
#include "interrupts.h"
#include "vdso_priv.h"
#include "x86.h"

#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/port.h>
#include <arch/spin.h>
#include <arch/trap.h>
#include <lib/atomic.h>
#include <lib/log.h>

/* Intel 8254 data sheet. */
#define PIT_HZ        1193182
#define PIT_CHANNEL0  0x40
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_GATE      0x61
#define PIT0_ONE_SHOT 0x30 /* channel 0, both bytes, mode 0 */
#define PIT2_ONE_SHOT 0xb0 /* channel 2, both bytes, mode 0 */
#define GATE_CHANNEL2 0x01
#define GATE_SPEAKER  0x02
#define GATE_OUT      0x20

/* Half a millisecond; two of them make the measurement and its check. */
#define WINDOW_TICKS  (PIT_HZ / 2000)
#define ATTEMPTS      5
#define AGREE_PERCENT 2
#define POLLS_MAX     10000000

/* ns = (cycles * ns_mult) >> 32. Constant after clock_init(). */
static uint64_t ns_mult;
static uint64_t tsc_hz;
static uint64_t tsc_start;
static bool tsc_trusted;
static bool tscs_differ; /* atomic, never false again: each CPU's has an offset of its own */
/* Timer counts per nanosecond, shifted left by 32. */
static uint64_t timer_mult;
static uint64_t wall_offset_ns; /* atomic */
/* Held by who changes any of this once it has been published. */
static struct spinlock change_lock = SPINLOCK_INIT(LOCK_CLOCK);

struct window {
	uint64_t tsc;
	uint64_t apic;
};

/* What the TSC and the APIC timer count while the 8254 counts WINDOW_TICKS. False: it never ends.
 */
static bool measure(struct window *window)
{
	uint8_t gate = port_in8(PIT_GATE);
	uint64_t tsc;
	uint32_t apic = 0;

	port_out8(PIT_GATE, (uint8_t)((gate & ~GATE_SPEAKER) | GATE_CHANNEL2));
	port_out8(PIT_COMMAND, PIT2_ONE_SHOT);
	port_out8(PIT_CHANNEL2, WINDOW_TICKS & 0xff);
	if (apic_present()) {
		apic_timer_start_free();
		apic = apic_timer_remaining();
	}
	port_out8(PIT_CHANNEL2, WINDOW_TICKS >> 8); /* counting begins */
	tsc = tsc_read();
	for (int polls = 0; polls < POLLS_MAX; polls++) {
		if (port_in8(PIT_GATE) & GATE_OUT) {
			window->tsc = tsc_read() - tsc;
			window->apic = apic_present() ? apic - apic_timer_remaining() : 0;
			port_out8(PIT_GATE, gate);
			return true;
		}
	}
	return false;
}

static bool agree(uint64_t a, uint64_t b)
{
	uint64_t difference = a > b ? a - b : b - a;

	return difference * 100 <= MAX(a, b) * AGREE_PERCENT;
}

static void measure_twice(struct window *sum)
{
	struct window first;
	struct window second;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (!measure(&first) || !measure(&second)) {
			/* No 8254: a guess that keeps the machine going. */
			log_err("the 8254 timer does not count; time is guessed");
			*sum = (struct window){.tsc = 1000000, .apic = 1000000};
			return;
		}
		*sum = (struct window){first.tsc + second.tsc, first.apic + second.apic};
		if (agree(first.tsc, second.tsc)) {
			tsc_trusted = cpu_features()->invariant_tsc || cpu_features()->hypervisor;
			return;
		}
	}
	tsc_trusted = false;
}

/* Whoever changes what clock_ns() and clock_wall_ns() are made of tells the programs. */
static void tell_programs_locked(void) REQUIRES(change_lock)
{
	vdso_set_clock(&(struct vdso_clock){.tsc_trusted = tsc_trusted && !read_once(&tscs_differ),
					    .tsc_start = tsc_start,
					    .ns_mult = ns_mult,
					    .wall_offset_ns = read_once(&wall_offset_ns)});
}

static void pit_interrupt(void *argument)
{
	(void)argument;
	clock_timer_interrupt();
}

static const struct irq_handler pit_handler = {.name = "timer", .handle = pit_interrupt};

void clock_init(void)
{
	struct window sum;
	uint64_t window_ns = NSEC_PER_SEC * 2 * WINDOW_TICKS / PIT_HZ;
	irqflags_t flags;

	measure_twice(&sum);
	tsc_hz = sum.tsc * NSEC_PER_SEC / window_ns;
	ns_mult = (NSEC_PER_SEC << 32) / MAX(tsc_hz, 1u);
	tsc_start = tsc_read();
	if (apic_present()) {
		timer_mult = (sum.apic << 32) / window_ns;
	} else {
		timer_mult = ((uint64_t)PIT_HZ << 32) / NSEC_PER_SEC;
		if (irq_register(PIT_LINE, &pit_handler))
			log_err("the 8254's line is taken: no timer will ever come");
	}
	flags = spin_lock_irqsave(&change_lock);
	tell_programs_locked();
	spin_unlock_irqrestore(&change_lock, flags);
	if (!tsc_trusted)
		log_warn("the TSC may drift: it is not invariant or its measurements differ");
}

static uint64_t scale(uint64_t value, uint64_t mult)
{
	return (uint64_t)((unsigned __int128)value * mult >> 32);
}

void clock_tscs_differ(void)
{
	irqflags_t flags = spin_lock_irqsave(&change_lock);

	write_once(&tscs_differ, true);
	tell_programs_locked();
	spin_unlock_irqrestore(&change_lock, flags);
}

/* The reading and its CPU's offset, in one piece. */
static NOINLINE uint64_t clock_ns_corrected(void)
{
	irqflags_t flags = irq_save();
	uint64_t tsc = tsc_read() + this_cpu()->tsc_offset;

	irq_restore(flags);
	return scale(tsc - tsc_start, ns_mult);
}

uint64_t clock_ns(void)
{
	/* In the last place, so that the usual way needs no stack frame: every switch asks. */
	if (unlikely(read_once(&tscs_differ)))
		return clock_ns_corrected();
	return scale(tsc_read() - tsc_start, ns_mult);
}

bool clock_cycles_agree(void)
{
	return !read_once(&tscs_differ);
}

uint64_t clock_wall_ns(void)
{
	return clock_ns() + read_once(&wall_offset_ns);
}

void clock_wall_set(uint64_t wall_ns)
{
	irqflags_t flags = spin_lock_irqsave(&change_lock);

	write_once(&wall_offset_ns, wall_ns - clock_ns());
	tell_programs_locked();
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
	return tsc_trusted ? "tsc" : "tsc (unchecked)";
}

const char *clock_timer_name(void)
{
	return apic_present() ? "local APIC" : "8254";
}

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
	count = scale(deadline_ns > now ? MIN(deadline_ns - now, 4 * NSEC_PER_SEC) : 0,
		      timer_mult) +
		1;
	if (apic_present())
		apic_timer_set((uint32_t)MIN(count, (uint64_t)UINT32_MAX));
	else
		pit_set((uint32_t)MIN(count, 0xffffu));
}
