/*
 * The disk's times and Unix's. Days are counted with years that begin in March, so that a leap day
 * is the last of its year.
 */
#include "times.h"

#define DAY_S      86400
#define DAYS_0_70  719468              /* from 1 March of year 0 to 1 January 1970 */
#define FIRST_S    INT64_C(315532800)  /* 1980-01-01 */
#define LAST_S     INT64_C(4354819198) /* 2107-12-31, 23:59:58 */
#define HUNDREDTHS 10000000            /* ns */

static int64_t days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = (month + 9) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - DAYS_0_70;
}

static void date_of(int64_t days, int *year, int *month, int *day)
{
	int64_t y = ((days + DAYS_0_70) * 10000 + 14780) / 3652425, rest, m;

	days += DAYS_0_70;
	rest = days - (y * 365 + y / 4 - y / 100 + y / 400);
	if (rest < 0) {
		y--;
		rest = days - (y * 365 + y / 4 - y / 100 + y / 400);
	}
	m = (rest * 100 + 52) / 3060;
	*day = (int)(rest - (m * 306 + 5) / 10 + 1);
	*month = (int)((m + 2) % 12 + 1);
	*year = (int)(y + (m >= 10));
}

struct timespec time_from_disk(uint16_t date, uint16_t time, uint8_t hundredths, int offset_min)
{
	int month = (date >> 5 & 15) ? date >> 5 & 15 : 1;
	int day = date & 31 ? date & 31 : 1;
	int64_t seconds = days_of(1980 + (date >> 9), month, day) * DAY_S + (time >> 11) * 3600 +
			  (time >> 5 & 63) * 60 + (time & 31) * 2 + hundredths / 100;

	return (struct timespec){.tv_sec = seconds + offset_min * 60,
				 .tv_nsec = (long)(hundredths % 100) * HUNDREDTHS};
}

void time_to_disk(struct timespec time, int offset_min, uint16_t *date, uint16_t *of_day,
		  uint8_t *hundredths)
{
	int64_t seconds = (int64_t)time.tv_sec - offset_min * 60;
	int year, month, day, rest;

	seconds = seconds < FIRST_S ? FIRST_S : seconds > LAST_S ? LAST_S : seconds;
	date_of(seconds / DAY_S, &year, &month, &day);
	rest = (int)(seconds % DAY_S);
	*date = (uint16_t)((year - 1980) << 9 | month << 5 | day);
	*of_day = (uint16_t)(rest / 3600 << 11 | rest / 60 % 60 << 5 | rest % 60 / 2);
	if (hundredths)
		*hundredths = (uint8_t)(rest % 2 * 100 + time.tv_nsec / HUNDREDTHS);
}
