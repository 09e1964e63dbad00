/*
 * What the tests of signals share: handlers that note what came, and masks.
 */
#ifndef SIGNAL_HELP_H
#define SIGNAL_HELP_H

#include <signal.h>

static volatile int ncalls;
static volatile int last_signal;
static siginfo_t last_info;

static void note(int signal)
{
	ncalls++;
	last_signal = signal;
}

static inline void note_info(int signal, siginfo_t *info, void *context)
{
	(void)context;
	note(signal);
	last_info = *info;
}

static inline int install(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	ncalls = 0;
	return sigaction(signal, &action, NULL);
}

static inline int install_info(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};

	ncalls = 0;
	return sigaction(signal, &action, NULL);
}

static inline void block(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static inline void unblock(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

#endif
