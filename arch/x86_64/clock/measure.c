/*
 * The measurement at the start. No state. Interrupts are off.
 */
#define LOG_SUBSYSTEM "clock"

#include "measure.h"

#include "interrupts.h"
#include "x86.h"

#include <arch/port.h>
#include <lib/log.h>

/* Intel 8254 data sheet. */
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_GATE      0x61
#define PIT2_ONE_SHOT 0xb0 /* channel 2, both bytes, mode 0 */
#define GATE_CHANNEL2 0x01
#define GATE_SPEAKER  0x02
#define GATE_OUT      0x20

/* Half a millisecond; two of them make the measurement and its check. */
#define WINDOW_NS     (NSEC_PER_SEC / 2000)
#define WINDOW_TICKS  (PIT_HZ / 2000)
#define ATTEMPTS      5
#define AGREE_PERCENT 2
#define POLLS_MAX     10000000
#define LOOK_POLLS    64 /* so often the counter is asked whether the 8254 is late */

/* What each has counted in the same time. */
struct window {
	uint64_t ns;
	uint64_t tsc;
	uint64_t apic;
};

static uint32_t apic_start(void)
{
	if (!apic_present())
		return 0;
	apic_timer_start_free();
	return apic_timer_remaining();
}

static uint32_t apic_since(uint32_t start)
{
	return apic_present() ? start - apic_timer_remaining() : 0;
}

/* False: it does not count. */
static bool measure_by_counter(const struct clock_counter *counter, struct window *window)
{
	uint32_t apic = apic_start();
	uint32_t first = counter->read();
	uint64_t tsc = tsc_read();

	for (int polls = 0; polls < POLLS_MAX; polls++) {
		uint64_t ns = counter_ns(counter, counter_since(counter, first));

		if (ns >= WINDOW_NS) {
			*window = (struct window){ns, tsc_read() - tsc, apic_since(apic)};
			return true;
		}
	}
	return false;
}

/* The 8254 has had its time several times over. */
static bool is_late(const struct clock_counter *counter, uint32_t first, int polls)
{
	return counter && polls % LOOK_POLLS == 0 &&
	       counter_ns(counter, counter_since(counter, first)) > 8 * WINDOW_NS;
}

/* False: it never ends. */
static bool measure_by_pit(const struct clock_counter *counter, struct window *window)
{
	uint8_t gate = port_in8(PIT_GATE);
	uint32_t first = counter ? counter->read() : 0;
	uint32_t apic;
	uint64_t tsc;
	bool ended = false;

	port_out8(PIT_GATE, (uint8_t)((gate & ~GATE_SPEAKER) | GATE_CHANNEL2));
	port_out8(PIT_COMMAND, PIT2_ONE_SHOT);
	port_out8(PIT_CHANNEL2, WINDOW_TICKS & 0xff);
	apic = apic_start();
	port_out8(PIT_CHANNEL2, WINDOW_TICKS >> 8); /* counting begins */
	tsc = tsc_read();
	for (int polls = 1; polls < POLLS_MAX && !ended && !is_late(counter, first, polls); polls++)
		ended = port_in8(PIT_GATE) & GATE_OUT;
	*window = (struct window){NSEC_PER_SEC * WINDOW_TICKS / PIT_HZ, tsc_read() - tsc,
				  apic_since(apic)};
	port_out8(PIT_GATE, gate);
	return ended;
}

/* The same rate of the TSC. */
static bool agree(const struct window *a, const struct window *b)
{
	uint64_t one = a->tsc * b->ns;
	uint64_t other = b->tsc * a->ns;

	return MAX(one, other) - MIN(one, other) <= MAX(one, other) / 100 * AGREE_PERCENT;
}

/* What is there measures both; false: nothing is. */
static bool measure_both(const struct clock_counter *counter, struct window *first,
			 struct window *second)
{
	bool by_counter = counter && measure_by_counter(counter, first);
	bool by_pit = measure_by_pit(by_counter ? counter : NULL, second);

	if (by_counter && by_pit)
		return true;
	if (by_counter)
		return measure_by_counter(counter, second);
	return by_pit && measure_by_pit(NULL, first);
}

struct clock_rates clock_measure(const struct clock_counter *counter)
{
	struct window sum = {.ns = 1};
	bool certain = false;

	for (int attempt = 0; attempt < ATTEMPTS && !certain; attempt++) {
		struct window first;
		struct window second;

		if (!measure_both(counter, &first, &second)) {
			/* A guess that keeps the machine going. */
			log_err("nothing counts that has a known rate; time is guessed");
			sum = (struct window){NSEC_PER_MSEC, 1000000, 1000000};
			break;
		}
		sum = (struct window){first.ns + second.ns, first.tsc + second.tsc,
				      first.apic + second.apic};
		certain = agree(&first, &second);
	}
	return (struct clock_rates){
		.tsc_hz = sum.tsc * NSEC_PER_SEC / sum.ns,
		.apic_per_ns = (sum.apic << 32) / sum.ns,
		.certain = certain,
	};
}
