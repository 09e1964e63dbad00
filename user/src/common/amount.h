/*
 * Amounts as people write them.
 */
#ifndef COMMON_AMOUNT_H
#define COMMON_AMOUNT_H

#define AMOUNT_ROOM 40

/* "1.5 MiB", "512 B". */
const char *bytes_text(unsigned long long bytes, char text[AMOUNT_ROOM]);

/* "3 days, 4:05:06", "0:01:02". */
const char *duration_text(unsigned long seconds, char text[AMOUNT_ROOM]);

#endif
