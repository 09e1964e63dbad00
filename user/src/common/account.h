/*
 * Accounts: who there is (/etc/passwd, /etc/shadow), whether somebody knows the password, and what
 * a session of theirs begins with.
 */
#ifndef COMMON_ACCOUNT_H
#define COMMON_ACCOUNT_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PASSWORD_MAX 256 /* with the NUL */

/* Asks on the terminal without showing what is typed. False: end of file, or no terminal. */
bool account_ask(const char *prompt, char *to, size_t to_bytes);

/* True: the account has an empty password, so there is nothing to ask. */
bool account_is_open(const struct passwd *account);

/* `account` NULL (nobody of this name) takes as long and is false. */
bool account_knows(const struct passwd *account, const char *password);

/* A line of /etc/shadow's second field for the password, SHA-512 with a fresh salt; NULL: it cannot
 * be made. Static. */
const char *account_encrypt(const char *password);

/* The groups of /etc/group that name the account, its own first: how many, at most `max`. */
int account_groups(const struct passwd *account, gid_t *to, int max);

/* Becomes the user for good, with groups; a home that is not there is made. False: with a
 * complaint. */
bool account_become(const struct passwd *account);

/* Replaces the program by the account's shell, or `sh -c command`. `login`: as a fresh session: its
 * home, an environment of its own but TERM. Returns only on failure, with a complaint. */
void account_run_shell(const struct passwd *account, bool login, const char *command);

#endif
