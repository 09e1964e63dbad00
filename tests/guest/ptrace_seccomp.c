/*
 * Tracers and filters of system calls: calls that a filter leaves to the tracer, and what it sees
 * of the filters.
 */
#include <stddef.h>

#include "check.h"

#include "filter_help.h"
#include "ptrace_help.h"

#define THIS_CALL       SYS_getppid
#define SECCOMP_STOP    STOPPED_AT(7)
#define CALL_STOP       STOPPED_BY(SIGTRAP | 0x80)
#define TRACE_SECCOMP   0x80
#define SUSPEND_SECCOMP 0x200000
#define GET_FILTER      0x420c
#define GET_METADATA    0x420d
#define GET_CALL        0x420e
#define INFO_OF_SECCOMP 3
#define REGISTER(name)  offsetof(struct user, regs.name)

static long call_once(void)
{
	return syscall(THIS_CALL, 11, 22, 33);
}

static int leave_to_tracer(void)
{
	const pid_t parent = getppid();

	if (add_filter(SECCOMP_FILTER_FLAG_LOG, THIS_CALL, SECCOMP_RET_TRACE | 1234))
		return 91;
	raise(SIGSTOP);
	for (int i = 0; i < 3; i++) {
		long result = call_once();

		if (result != (i == 1 ? 77 : i == 2 ? getpid() : parent))
			return 92 + i;
	}
	return 7;
}

struct call_info {
	uint8_t op, padding[3];
	uint32_t arch;
	uint64_t ip, sp, number, arguments[6];
	uint32_t data;
};

static void a_filter_leaves_calls_to_the_tracer(void)
{
	pid_t pid = traced_child(leave_to_tracer);
	struct call_info info = {0};
	unsigned long message = 0;
	siginfo_t signal;

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGSTOP));
	EXPECT_EQUAL(ptrace(PTRACE_SETOPTIONS, pid, 0, TRACE_SECCOMP | PTRACE_O_TRACESYSGOOD), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), SECCOMP_STOP);
	EXPECT_EQUAL(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
	EXPECT_EQUAL(message, 1234);
	EXPECT_EQUAL(ptrace(PTRACE_GETSIGINFO, pid, 0, &signal), 0);
	EXPECT_EQUAL(signal.si_code, SIGTRAP | 7 << 8);
	EXPECT(ptrace(GET_CALL, pid, sizeof(info), &info) >= 84);
	EXPECT(info.op == INFO_OF_SECCOMP && info.data == 1234 && info.number == THIS_CALL);
	EXPECT(info.arguments[0] == 11 && info.arguments[2] == 33);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, REGISTER(rax), 0), -ENOSYS);
	/* The first is made, and its end told; the second is not; the third is another one. */
	EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), CALL_STOP);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, REGISTER(rax), 0), getpid());
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), SECCOMP_STOP);
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, REGISTER(orig_rax), -1L), 0);
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, REGISTER(rax), 77L), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), SECCOMP_STOP);
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, REGISTER(orig_rax), SYS_getpid), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(7));
}

/* What the tracer makes of a call is filtered as well. */
static int forbid_another(void)
{
	if (add_filter(0, THIS_CALL, SECCOMP_RET_TRACE) ||
	    add_filter(0, SYS_getuid, SECCOMP_RET_ERRNO | 88))
		return 91;
	raise(SIGSTOP);
	return call_once() == -1 && errno == 88 ? 7 : 92;
}

static void the_tracers_calls_are_filtered(void)
{
	pid_t pid = traced_child(forbid_another);

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGSTOP));
	EXPECT_EQUAL(ptrace(PTRACE_SETOPTIONS, pid, 0, TRACE_SECCOMP), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), SECCOMP_STOP);
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, REGISTER(orig_rax), SYS_getuid), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(7));
}

static int have_two(void)
{
	if (add_filter(SECCOMP_FILTER_FLAG_LOG, THIS_CALL, SECCOMP_RET_ERRNO | 5) ||
	    add_filter(0, SYS_getuid, SECCOMP_RET_ERRNO | 6))
		return 91;
	raise(SIGSTOP);
	return call_once() > 0 ? 7 : 92;
}

static void a_tracer_reads_and_suspends_filters(void)
{
	pid_t pid = traced_child(have_two);
	struct sock_filter program[8];
	uint64_t facts[2] = {0, 77};

	EXPECT_ERRNO(EINVAL, ptrace(GET_FILTER, pid, 0, 0));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGSTOP));
	EXPECT_EQUAL(ptrace(GET_FILTER, pid, 0, 0), 4);
	EXPECT_EQUAL(ptrace(GET_FILTER, pid, 0, program), 4);
	EXPECT(program[1].k == THIS_CALL && program[2].k == (SECCOMP_RET_ERRNO | 5));
	EXPECT_EQUAL(ptrace(GET_FILTER, pid, 1, program), 4);
	EXPECT_EQUAL(program[1].k, SYS_getuid);
	EXPECT_ERRNO(ENOENT, ptrace(GET_FILTER, pid, 2, 0));
	EXPECT_ERRNO(EFAULT, ptrace(GET_FILTER, pid, 0, 8));
	EXPECT_EQUAL(ptrace(GET_METADATA, pid, sizeof(facts), facts), sizeof(facts));
	EXPECT_EQUAL(facts[1], SECCOMP_FILTER_FLAG_LOG);
	facts[0] = 1;
	EXPECT_EQUAL(ptrace(GET_METADATA, pid, sizeof(facts), facts), sizeof(facts));
	EXPECT_EQUAL(facts[1], 0);
	EXPECT_ERRNO(EINVAL, ptrace(GET_METADATA, pid, 4, facts));
	EXPECT_EQUAL(ptrace(PTRACE_SETOPTIONS, pid, 0, SUSPEND_SECCOMP), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(7));
}

int main(void)
{
	RUN(a_filter_leaves_calls_to_the_tracer);
	RUN(the_tracers_calls_are_filtered);
	RUN(a_tracer_reads_and_suspends_filters);
	return check_end();
}
