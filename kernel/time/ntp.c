/*
 * How the clock follows what its keeper says (adjtimex(2); Linux's kernel/time/ntp.c, RFC 1589): a
 * frequency, and offsets that are gained in parts, second by second. Arithmetic alone, on the
 * host's tests as well; steer.c has the state and the clock.
 */
#include "set.h"

#include <abi/errno.h>

#define FREQUENCY_MAX         INT64_C(32768000) /* 500 ppm */
#define OFFSET_MAX_NS         INT64_C(500000000)
#define ADJUST_MAX_US         500 /* of adjtime, each second */
#define CONSTANT_MAX          INT64_C(10)
#define TICK_US               (INT64_C(1000000) / USER_HZ)
#define PLL_SHIFT             2
#define FLL_SHIFT             2
#define FLL_SECONDS_MIN       256
#define PLL_SECONDS_MAX       2048
#define DAY_S                 86400
#define LATE_MAX_S            3600
#define RATE_ONE              (INT64_C(1) << 32)
#define UNITS_OF_NS_PER_S(ns) ((ns)*65536 / 1000) /* of `frequency` */

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* Towards 0, as Linux shifts. */
static int64_t shift_right(int64_t value, unsigned by)
{
	return value < 0 ? -(-value >> by) : value >> by;
}

static int64_t fraction_max(const struct abi_timex *wanted)
{
	return wanted->modes & ADJ_NANO ? (int64_t)NSEC_PER_SEC : 1000000;
}

err_t ntp_check(const struct abi_timex *wanted)
{
	if (wanted->modes & ADJ_ADJTIME)
		return wanted->modes & ADJ_OFFSET ? 0 : -EINVAL;
	if (wanted->modes & ADJ_TICK &&
	    (wanted->tick < TICK_US * 9 / 10 || wanted->tick > TICK_US * 11 / 10))
		return -EINVAL;
	if (wanted->modes & ADJ_SETOFFSET &&
	    (wanted->time.tv_usec < 0 || wanted->time.tv_usec >= fraction_max(wanted) ||
	     wanted->time.tv_sec > INT64_MAX / 4 / (int64_t)NSEC_PER_SEC ||
	     wanted->time.tv_sec < -INT64_MAX / 4 / (int64_t)NSEC_PER_SEC))
		return -EINVAL;
	return 0;
}

/* ---- what is said ---- */

static void set_status(struct ntp *ntp, int32_t status, int64_t now_s)
{
	if (ntp->status & STA_PLL && !(status & STA_PLL)) {
		ntp->state = TIME_OK;
		ntp->offset_ns = 0;
	}
	if (!(ntp->status & STA_PLL) && status & STA_PLL)
		ntp->reference_s = now_s;
	ntp->status = (ntp->status & STA_READ_ONLY) | (status & ~STA_READ_ONLY);
}

/* The frequency learns from offsets: over a short time by the phase, over a long one by itself. */
static int64_t learned(struct ntp *ntp, int64_t offset_ns, int64_t seconds)
{
	unsigned shift = 2 * (PLL_SHIFT + 2 + (unsigned)ntp->constant);
	int64_t units = 0;

	ntp->status &= ~STA_MODE;
	if (seconds >= FLL_SECONDS_MIN && (ntp->status & STA_FLL || seconds > PLL_SECONDS_MAX)) {
		ntp->status |= STA_MODE;
		units = UNITS_OF_NS_PER_S(shift_right(offset_ns, FLL_SHIFT)) / seconds;
	}
	seconds = MIN(seconds, INT64_C(1) << (PLL_SHIFT + 1 + ntp->constant));
	return units + shift_right(UNITS_OF_NS_PER_S(offset_ns) * seconds, shift);
}

static void set_offset(struct ntp *ntp, int64_t offset, int64_t now_s)
{
	int64_t seconds = ntp->status & STA_FREQHOLD ? 0 : now_s - ntp->reference_s;

	if (!(ntp->status & STA_PLL))
		return; /* as Linux */
	if (!(ntp->status & STA_NANO))
		offset = clamp(offset, -OFFSET_MAX_NS, OFFSET_MAX_NS) * (int64_t)NSEC_PER_USEC;
	ntp->offset_ns = clamp(offset, -OFFSET_MAX_NS, OFFSET_MAX_NS);
	ntp->reference_s = now_s;
	ntp->frequency =
		clamp(ntp->frequency + learned(ntp, ntp->offset_ns, clamp(seconds, 0, INT32_MAX)),
		      -FREQUENCY_MAX, FREQUENCY_MAX);
}

void ntp_apply(struct ntp *ntp, const struct abi_timex *wanted, int64_t now_s)
{
	if (wanted->modes & ADJ_ADJTIME) {
		if (!(wanted->modes & ADJ_OFFSET_READONLY))
			ntp->adjust_us = clamp(wanted->offset, -INT64_MAX / 1000, INT64_MAX / 1000);
		return;
	}
	if (wanted->modes & ADJ_STATUS)
		set_status(ntp, wanted->status, now_s);
	if (wanted->modes & ADJ_NANO)
		ntp->status |= STA_NANO;
	if (wanted->modes & ADJ_MICRO)
		ntp->status &= ~STA_NANO;
	if (wanted->modes & ADJ_FREQUENCY)
		ntp->frequency = clamp(wanted->freq, -FREQUENCY_MAX, FREQUENCY_MAX);
	if (wanted->modes & ADJ_MAXERROR)
		ntp->maxerror_us = clamp(wanted->maxerror, 0, NTP_PHASE_LIMIT_US);
	if (wanted->modes & ADJ_ESTERROR)
		ntp->esterror_us = clamp(wanted->esterror, 0, NTP_PHASE_LIMIT_US);
	if (wanted->modes & ADJ_TIMECONST)
		ntp->constant = clamp(clamp(wanted->constant, 0, CONSTANT_MAX) +
					      (ntp->status & STA_NANO ? 0 : 4),
				      0, CONSTANT_MAX);
	if (wanted->modes & ADJ_OFFSET)
		set_offset(ntp, wanted->offset, now_s);
	if (wanted->modes & ADJ_TICK)
		ntp->tick_us = wanted->tick;
}

/* ---- what follows ---- */

/* How far the clock jumps at the end of a day. */
static int leap(struct ntp *ntp, int64_t now_s)
{
	switch (ntp->state) {
	case TIME_OK:
		if (ntp->status & STA_INS) {
			ntp->state = TIME_INS;
			ntp->leap_s = now_s + DAY_S - now_s % DAY_S;
		} else if (ntp->status & STA_DEL) {
			ntp->state = TIME_DEL;
			ntp->leap_s = now_s + DAY_S - (now_s + 1) % DAY_S;
		}
		return 0;
	case TIME_INS:
		if (!(ntp->status & STA_INS)) {
			ntp->state = TIME_OK;
		} else if (now_s >= ntp->leap_s) {
			ntp->state = TIME_OOP;
			return -1;
		}
		return 0;
	case TIME_DEL:
		if (!(ntp->status & STA_DEL)) {
			ntp->state = TIME_OK;
		} else if (now_s >= ntp->leap_s) {
			ntp->state = TIME_WAIT;
			return 1;
		}
		return 0;
	case TIME_OOP:
		ntp->state = TIME_WAIT;
		return 0;
	default:
		if (!(ntp->status & (STA_INS | STA_DEL)))
			ntp->state = TIME_OK;
		return 0;
	}
}

int ntp_second(struct ntp *ntp, int64_t now_s)
{
	int64_t late_s = clamp(now_s - ntp->counted_s - 1, 0, LATE_MAX_S);
	int jump_s;

	if (now_s == ntp->counted_s)
		return 0;
	/* The parts of the last one that was counted went on to be gained. */
	ntp->offset_ns -= late_s * ntp->part_ns;
	ntp->adjust_us -= late_s * ntp->part_us;

	ntp->part_ns = shift_right(ntp->offset_ns, PLL_SHIFT + (unsigned)ntp->constant);
	ntp->part_us = clamp(ntp->adjust_us, -ADJUST_MAX_US, ADJUST_MAX_US);
	ntp->offset_ns -= ntp->part_ns;
	ntp->adjust_us -= ntp->part_us;
	jump_s = leap(ntp, now_s);
	ntp->counted_s = now_s + jump_s;
	return jump_s;
}

void ntp_clear(struct ntp *ntp)
{
	ntp->offset_ns = ntp->adjust_us = 0;
	ntp->part_ns = ntp->part_us = 0;
	ntp->leap_s = INT64_MAX;
	ntp->counted_s = 0;
	ntp->status |= STA_UNSYNC;
	ntp->maxerror_us = ntp->esterror_us = NTP_PHASE_LIMIT_US;
}

int64_t ntp_rate(const struct ntp *ntp)
{
	int64_t parts_ns = ntp->part_ns + ntp->part_us * (int64_t)NSEC_PER_USEC;

	return (ntp->tick_us - TICK_US) * (RATE_ONE / TICK_US) +
	       ntp->frequency * (RATE_ONE / 65536) / 1000000 +
	       parts_ns * RATE_ONE / (int64_t)NSEC_PER_SEC;
}

bool ntp_is_busy(const struct ntp *ntp)
{
	return ntp->part_ns || ntp->part_us || ntp->adjust_us || ntp->state != TIME_OK ||
	       shift_right(ntp->offset_ns, PLL_SHIFT + (unsigned)ntp->constant) ||
	       ntp->status & (STA_INS | STA_DEL);
}
