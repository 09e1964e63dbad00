/*
 * What the log says of calls that filters stop: a line, as often as a user may fill the log, for
 * the actions that /proc/sys/kernel/seccomp/actions_logged names; for those that only limit a call
 * where the filter asked for it.
 */
#define LOG_SUBSYSTEM "seccomp"

#include "seccomp.h"

#include "../procfs/procfs.h"
#include "../syscall.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <lib/log.h>
#include <lib/string.h>

/* As many lines in so long, as Linux's. */
#define LINES_MAX       10
#define LINES_DURING_NS (5 * NSEC_PER_SEC)

static const struct action {
	const char *name;
	uint32_t action;
	bool always; /* logged though no filter has asked */
} actions[] = {
	{"kill_process", SECCOMP_RET_KILL_PROCESS, true},
	{"kill_thread", SECCOMP_RET_KILL_THREAD, true},
	{"trap", SECCOMP_RET_TRAP, false},
	{"errno", SECCOMP_RET_ERRNO, false},
	{"user_notif", SECCOMP_RET_USER_NOTIF, false},
	{"trace", SECCOMP_RET_TRACE, false},
	{"log", SECCOMP_RET_LOG, true},
	{"allow", SECCOMP_RET_ALLOW, false},
};

#define NACTIONS   ARRAY_SIZE(actions)
#define LOGGED_MAX ((1u << (NACTIONS - 1)) - 1) /* all but the last */

/* A bit for each; by read_once and write_once. */
static uint32_t logged = LOGGED_MAX;

/* A race lets a line more through. */
static uint64_t lines_since_ns;
static uint32_t nlines;

static const struct action *find(uint32_t action)
{
	for (size_t i = 0; i < NACTIONS; i++) {
		if (actions[i].action == action)
			return &actions[i];
	}
	return NULL;
}

bool seccomp_knows_action(uint32_t action)
{
	return find(action);
}

static bool may_tell(void)
{
	uint64_t now_ns = clock_ns();

	if (now_ns - read_once(&lines_since_ns) > LINES_DURING_NS) {
		write_once(&lines_since_ns, now_ns);
		write_once(&nlines, 0);
	}
	write_once(&nlines, read_once(&nlines) + 1);
	return read_once(&nlines) <= LINES_MAX;
}

void seccomp_log(uint32_t action, const struct abi_seccomp_data *data, bool asked)
{
	const struct action *found = find(action);
	const struct uthread *self = uthread_current();
	const struct syscall_info *call = syscall_info((uint64_t)(uint32_t)data->number);

	if (!found) /* it kills */
		found = &actions[0];
	if (!(found->always || asked) || !(read_once(&logged) & 1u << (found - actions)) ||
	    !may_tell())
		return;
	log_info("%s[%d]: system call %s (%d): %s", self->thread->name, self->tid,
		 call ? call->name : "without a name", data->number, found->name);
}

/* ---- /proc/sys/kernel/seccomp ---- */

static void add_names(struct text *text, uint32_t set)
{
	const char *between = "";

	for (size_t i = 0; i < NACTIONS; i++) {
		if (!(set & 1u << i))
			continue;
		text_add(text, "%s%s", between, actions[i].name);
		between = " ";
	}
	text_add(text, "\n");
}

void proc_seccomp_actions(struct text *text, UNUSED const struct proc_subject *subject)
{
	add_names(text, LOGGED_MAX | 1u << (NACTIONS - 1));
}

void proc_seccomp_logged(struct text *text, UNUSED const struct proc_subject *subject)
{
	add_names(text, read_once(&logged));
}

/* The bit of the name at *text, which is passed; 0: there is no such action. */
static uint32_t take_name(const char **text)
{
	size_t len = 0;

	while ((*text)[len] && (*text)[len] != ' ')
		len++;
	for (size_t i = 0; i < NACTIONS; i++) {
		if (strlen(actions[i].name) == len && memcmp(actions[i].name, *text, len) == 0) {
			*text += len;
			return 1u << i;
		}
	}
	return 0;
}

err_t proc_seccomp_logged_write(UNUSED const struct proc_subject *subject, const char *text)
{
	uint32_t set = 0;

	while (*text) {
		uint32_t bit = *text == ' ' ? 0 : take_name(&text);

		if (*text == ' ')
			text++;
		else if (!bit)
			return -EINVAL;
		set |= bit;
	}
	if (set & ~LOGGED_MAX)
		return -EINVAL; /* what is allowed is not logged */
	write_once(&logged, set);
	return 0;
}
