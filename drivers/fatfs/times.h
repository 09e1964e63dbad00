/*
 * The disk's times: a date from 1980 to 2107, two seconds of a day, and for the creation 10 ms
 * more.
 */
#ifndef FATFS_TIMES_H
#define FATFS_TIMES_H

#include <stdint.h>
#include <time.h>

/* `offset_min` is what is added to the disk's time for UTC. An impossible date gives some time. */
struct timespec time_from_disk(uint16_t date, uint16_t time, uint8_t hundredths, int offset_min);
/* What the disk cannot say becomes the next that it can; finer parts are cut. `hundredths` may be
 * NULL. */
void time_to_disk(struct timespec time, int offset_min, uint16_t *date, uint16_t *of_day,
		  uint8_t *hundredths);

#endif
