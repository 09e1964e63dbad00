/*
 * What a process knows of itself and of the system.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void identity_is_consistent(void)
{
	EXPECT(getpid() > 0);
	EXPECT_EQUAL(syscall(SYS_gettid), getpid());
	EXPECT(getppid() >= 0);
	EXPECT_EQUAL(getpid(), getpid());
	EXPECT_EQUAL(syscall(SYS_set_tid_address, 0L), getpid());
}

static void the_system_has_a_name(void)
{
	struct utsname name;

	EXPECT_EQUAL(uname(&name), 0);
	EXPECT(name.sysname[0] && name.release[0] && name.version[0]);
	EXPECT(strcmp(name.machine, "x86_64") == 0);
	/* Programs parse this and refuse kernels that seem too old. */
	EXPECT(atoi(name.release) >= 3 && strchr(name.release, '.'));
}

static void memory_adds_up(void)
{
	struct sysinfo info;

	EXPECT_EQUAL(sysinfo(&info), 0);
	EXPECT(info.mem_unit >= 1);
	EXPECT(info.totalram > 0 && info.freeram > 0 && info.freeram <= info.totalram);
	EXPECT(info.procs >= 1);
}

static void this_cpu_is_among_ours(void)
{
	cpu_set_t cpus;
	unsigned cpu = 9999;

	EXPECT_EQUAL(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	EXPECT(CPU_COUNT(&cpus) >= 1);
	EXPECT(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	EXPECT_EQUAL(syscall(SYS_getcpu, &cpu, 0L, 0L), 0);
	EXPECT(CPU_ISSET(cpu, &cpus));
	EXPECT_EQUAL(sched_yield(), 0);
}

static void a_confined_program_runs_where_it_may(void)
{
	cpu_set_t before, one, now;
	unsigned cpu = 9999;

	EXPECT_EQUAL(sched_getaffinity(0, sizeof(before), &before), 0);
	for (unsigned i = 0; i < 64; i++) {
		if (!CPU_ISSET(i, &before))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		EXPECT_EQUAL(sched_setaffinity(0, sizeof(one), &one), 0);
		EXPECT_EQUAL(syscall(SYS_getcpu, &cpu, 0L, 0L), 0);
		EXPECT_EQUAL(cpu, i);
		EXPECT_EQUAL(sched_getaffinity(getpid(), sizeof(now), &now), 0);
		EXPECT(CPU_EQUAL(&now, &one));
	}
	CPU_ZERO(&one);
	EXPECT_ERRNO(EINVAL, sched_setaffinity(0, sizeof(one), &one));
	EXPECT_ERRNO(ESRCH, sched_setaffinity(-2, sizeof(before), &before));
	EXPECT_EQUAL(sched_setaffinity(0, sizeof(before), &before), 0);
}

/* Another user's program is not moved about, one's own is. */
static void others_programs_stay_where_they_are(void)
{
	pid_t own, child;
	cpu_set_t cpus;
	int status = -1;

	EXPECT_EQUAL(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	if (getuid())
		return;
	child = fork();
	if (child == 0) {
		if (setuid(1000))
			_exit(1);
		own = fork();
		if (own == 0) {
			pause();
			_exit(0);
		}
		status = sched_setaffinity(getppid(), sizeof(cpus), &cpus) == -1 &&
					 errno == EPERM &&
					 sched_setaffinity(own, sizeof(cpus), &cpus) == 0
				 ? 0
				 : 2;
		kill(own, SIGKILL);
		_exit(status);
	}
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(status, 0);
}

static void random_bytes_differ(void)
{
	uint64_t first[4] = {0}, second[4] = {0};

	EXPECT_EQUAL(getrandom(first, sizeof(first), 0), sizeof(first));
	EXPECT_EQUAL(getrandom(second, sizeof(second), 0), sizeof(second));
	EXPECT(memcmp(first, second, sizeof(first)) != 0);
}

static void limits_can_be_asked(void)
{
	struct rlimit limit;

	EXPECT_EQUAL(getrlimit(RLIMIT_STACK, &limit), 0);
	EXPECT(limit.rlim_cur >= 1 << 20);
	EXPECT_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
	EXPECT(limit.rlim_cur >= 64);
}

static void device_files_work(void)
{
	char bytes[64];
	int fd = open("/dev/null", O_RDWR);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(write(fd, "x", 1), 1);
	EXPECT_EQUAL(read(fd, bytes, 1), 0);
	EXPECT_EQUAL(isatty(fd), 0);
	EXPECT_EQUAL(errno, ENOTTY);
	EXPECT_EQUAL(close(fd), 0);
	fd = open("/dev/zero", O_RDONLY);
	EXPECT(fd >= 0);
	memset(bytes, 1, sizeof(bytes));
	EXPECT_EQUAL(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		EXPECT_EQUAL(bytes[i], 0);
	EXPECT_EQUAL(close(fd), 0);
	fd = open("/dev/urandom", O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
	EXPECT_EQUAL(close(fd), 0);
}

static void standard_descriptors_are_open(void)
{
	struct stat status;

	for (int fd = 0; fd < 3; fd++)
		EXPECT_EQUAL(fstat(fd, &status), 0);
}

static void descriptor_flags_are_kept(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(fcntl(fd, F_SETFD, 0), 0);
	EXPECT_EQUAL(fcntl(fd, F_GETFD), 0);
	EXPECT_EQUAL(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	EXPECT_ERRNO(EBADF, fcntl(999, F_GETFD));
	EXPECT_EQUAL(close(fd), 0);
}

static void the_environment_can_be_changed(void)
{
	EXPECT_EQUAL(setenv("FUSELAGE_TEST", "a", 1), 0);
	EXPECT(getenv("FUSELAGE_TEST") && strcmp(getenv("FUSELAGE_TEST"), "a") == 0);
	EXPECT_EQUAL(unsetenv("FUSELAGE_TEST"), 0);
	EXPECT(getenv("FUSELAGE_TEST") == NULL);
}

int main(void)
{
	RUN(identity_is_consistent);
	RUN(the_system_has_a_name);
	RUN(memory_adds_up);
	RUN(this_cpu_is_among_ours);
	RUN(a_confined_program_runs_where_it_may);
	RUN(others_programs_stay_where_they_are);
	RUN(random_bytes_differ);
	RUN(limits_can_be_asked);
	RUN(device_files_work);
	RUN(standard_descriptors_are_open);
	RUN(descriptor_flags_are_kept);
	RUN(the_environment_can_be_changed);
	return check_end();
}
