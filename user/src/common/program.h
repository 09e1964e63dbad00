/*
 * What all our programs do alike: say who they are, help, complain.
 */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

#include <stdbool.h>

/*
 * To be called first thing in main(). If the first argument is --help, prints `help` and exits with
 * 0. `name` is what complaints start with; `help` starts with "usage: name ...".
 */
void program_start(const char *name, const char *help, int argc, char **argv);

/* Prints "name: text" to standard error. The status of the program is the caller's business. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As complain(), followed by what errno means: "name: text: No such file or directory". */
void complain_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says what is wrong with the arguments and where the help is, then exits with 2. */
void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/*
 * Flushes standard output and returns the status for main() to return: `status`, or 1 with a
 * complaint if something could not be written, so that a full disk or a closed pipe never looks
 * like success.
 */
int program_end(int status);

/* Parses a whole string as a number from 0 to max; a usage error that names it as `what` otherwise.
 */
unsigned long parse_number(const char *text, const char *what, unsigned long max);

#endif
