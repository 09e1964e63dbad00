/*
 * adjtimex(2), as Linux has it on x86-64.
 */
#ifndef ABI_TIMEX_H
#define ABI_TIMEX_H

#include <abi/time.h>

struct abi_timex {
	uint32_t modes;
	uint32_t padding;
	int64_t offset;
	int64_t freq;
	int64_t maxerror; /* microseconds, as esterror */
	int64_t esterror;
	int32_t status;
	uint32_t padding2;
	int64_t constant;
	int64_t precision;
	int64_t tolerance;
	struct abi_timeval time; /* with STA_NANO or ADJ_NANO its fraction is nanoseconds */
	int64_t tick;            /* microseconds */
	int64_t ppsfreq, jitter;
	int32_t shift;
	uint32_t padding3;
	int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
	int32_t tai;
	uint32_t reserved[11];
};
_Static_assert(sizeof(struct abi_timex) == 208, "struct timex of x86-64");

#define ADJ_OFFSET          0x0001u
#define ADJ_FREQUENCY       0x0002u
#define ADJ_MAXERROR        0x0004u
#define ADJ_ESTERROR        0x0008u
#define ADJ_STATUS          0x0010u
#define ADJ_TIMECONST       0x0020u
#define ADJ_TAI             0x0080u
#define ADJ_SETOFFSET       0x0100u
#define ADJ_MICRO           0x1000u
#define ADJ_NANO            0x2000u
#define ADJ_TICK            0x4000u
#define ADJ_ADJTIME         0x8000u  /* with ADJ_OFFSET: as adjtime() has it */
#define ADJ_OFFSET_READONLY ADJ_NANO /* with ADJ_ADJTIME */
#define ADJ_KNOWN           0xf1bfu

#define STA_PLL       0x0001
#define STA_FLL       0x0008
#define STA_INS       0x0010
#define STA_DEL       0x0020
#define STA_UNSYNC    0x0040
#define STA_FREQHOLD  0x0080
#define STA_NANO      0x2000
#define STA_MODE      0x4000 /* the frequency was learned by itself */
#define STA_READ_ONLY 0xff00 /* STA_PPSSIGNAL .. STA_CLK */

#define TIME_OK    0
#define TIME_INS   1
#define TIME_DEL   2
#define TIME_OOP   3
#define TIME_WAIT  4
#define TIME_ERROR 5

#define NTP_PHASE_LIMIT_US INT64_C(16000000)
#define NTP_TOLERANCE      INT64_C(32768000) /* 500 ppm, 16 bits behind the point */

#endif
