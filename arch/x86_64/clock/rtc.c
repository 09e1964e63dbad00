/*
 * The CMOS clock (Motorola MC146818 data sheet), read once at start. It is taken to run in UTC.
 */
#include "rtc.h"

#include <arch/port.h>

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

enum cmos {
	CMOS_SECOND = 0,
	CMOS_MINUTE = 2,
	CMOS_HOUR = 4,
	CMOS_DAY = 7,
	CMOS_MONTH = 8,
	CMOS_YEAR = 9,
	CMOS_A = 10,
	CMOS_B = 11
};

#define A_UPDATING 0x80
#define B_BINARY   0x04
#define B_24_HOURS 0x02
#define HOUR_PM    0x80
/* More than a whole update (2 ms) takes: a clock that never ends it is broken. */
#define POLLS_MAX 100000

struct rtc_time {
	uint8_t second, minute, hour, day, month, year;
};

static uint8_t cmos_read(enum cmos index)
{
	port_out8(CMOS_INDEX, (uint8_t)index);
	return port_in8(CMOS_DATA);
}

static struct rtc_time read_registers(void)
{
	for (int polls = 0; polls < POLLS_MAX && cmos_read(CMOS_A) & A_UPDATING; polls++)
		;
	return (struct rtc_time){cmos_read(CMOS_SECOND), cmos_read(CMOS_MINUTE),
				 cmos_read(CMOS_HOUR),   cmos_read(CMOS_DAY),
				 cmos_read(CMOS_MONTH),  cmos_read(CMOS_YEAR)};
}

static bool same(const struct rtc_time *a, const struct rtc_time *b)
{
	return a->second == b->second && a->minute == b->minute && a->hour == b->hour &&
	       a->day == b->day && a->month == b->month && a->year == b->year;
}

static uint8_t from_bcd(uint8_t value)
{
	return (uint8_t)((value >> 4) * 10 + (value & 0xf));
}

/* Days since 1970-01-01 of a date in the Gregorian calendar, counting years from March so that the
 * leap day is last. */
static int64_t days_since_epoch(int64_t year, int64_t month, int64_t day)
{
	int64_t years = month > 2 ? year : year - 1;
	int64_t months = month > 2 ? month - 3 : month + 9;
	int64_t day_of_year = (153 * months + 2) / 5 + day - 1;

	return years * 365 + years / 4 - years / 100 + years / 400 + day_of_year - 719468;
}

uint64_t rtc_read_ns(void)
{
	struct rtc_time time = read_registers();
	struct rtc_time again = read_registers();
	uint8_t mode = cmos_read(CMOS_B);
	bool pm;
	int64_t days;

	for (int attempt = 0; attempt < 5 && !same(&time, &again); attempt++) {
		time = again;
		again = read_registers();
	}
	pm = time.hour & HOUR_PM;
	time.hour &= (uint8_t)~HOUR_PM;
	if (!(mode & B_BINARY))
		time = (struct rtc_time){from_bcd(time.second), from_bcd(time.minute),
					 from_bcd(time.hour),   from_bcd(time.day),
					 from_bcd(time.month),  from_bcd(time.year)};
	if (!(mode & B_24_HOURS))
		time.hour = (uint8_t)(time.hour % 12 + (pm ? 12 : 0));
	if (time.month < 1 || time.month > 12 || time.day < 1 || time.day > 31 || time.hour > 23 ||
	    time.minute > 59 || time.second > 59)
		return 0;
	/* Two digits of a year: 1970 to 2069. */
	days = days_since_epoch(time.year < 70 ? 2000 + time.year : 1900 + time.year, time.month,
				time.day);
	return ((uint64_t)days * 86400 + time.hour * 3600u + time.minute * 60u + time.second) *
	       NSEC_PER_SEC;
}
