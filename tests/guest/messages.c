/*
 * System V message queues: msgget, msgsnd, msgrcv, msgctl.
 */
#include <limits.h>
#include <stdint.h>
#include <sys/msg.h>
#include <sys/syscall.h>

#include "as_user.h"
#include "check.h"
#include "ipc_help.h"
#include "signal_help.h"

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

static key_t own_key; /* of this run */
static int id;
static struct msqid_ds queue;
static struct {
	long type;
	char text[8192 + 1];
} message;

static int make(void)
{
	id = msgget(IPC_PRIVATE, 0600);
	return id;
}

static void drop(void)
{
	msgctl(id, IPC_RMID, NULL);
}

static int send_text(long type, const char *text)
{
	message.type = type;
	strcpy(message.text, text);
	return msgsnd(id, &message, strlen(text) + 1, IPC_NOWAIT);
}

/* The type of what came, whose text is in `message`; -1. */
static long take(long type, int flags)
{
	memset(&message, 0x55, sizeof(message));
	return msgrcv(id, &message, 100, type, flags | IPC_NOWAIT) < 0 ? -1 : message.type;
}

static void messages_come_in_their_order(void)
{
	EXPECT(make() >= 0);
	EXPECT_EQUAL(send_text(3, "first"), 0);
	EXPECT_EQUAL(send_text(1, "second"), 0);
	EXPECT_EQUAL(msgrcv(id, &message, 100, 0, 0), 6);
	EXPECT_EQUAL(message.type, 3);
	EXPECT(strcmp(message.text, "first") == 0);
	EXPECT_EQUAL(take(0, 0), 1);
	EXPECT_ERRNO(ENOMSG, take(0, 0));
	message.type = LONG_MAX;
	EXPECT_EQUAL(msgsnd(id, &message, 0, 0), 0); /* nothing in it */
	EXPECT_EQUAL(msgrcv(id, &message, 0, 0, 0), 0);
	EXPECT_EQUAL(message.type, LONG_MAX);
	drop();
	EXPECT_ERRNO(EINVAL, send_text(1, "late"));
	EXPECT_ERRNO(EINVAL, take(0, 0));
}

static void types_choose(void)
{
	EXPECT(make() >= 0);
	send_text(5, "a");
	send_text(2, "b");
	send_text(7, "c");
	send_text(2, "d");
	EXPECT_EQUAL(take(7, 0), 7);
	EXPECT_ERRNO(ENOMSG, take(7, 0));
	EXPECT_ERRNO(ENOMSG, take(-1, 0));
	EXPECT_EQUAL(take(-5, 0), 2); /* the lowest, the oldest of these */
	EXPECT(strcmp(message.text, "b") == 0);
	EXPECT_EQUAL(take(5, MSG_EXCEPT), 2);
	EXPECT_ERRNO(ENOMSG, take(5, MSG_EXCEPT));
	EXPECT_EQUAL(take(LONG_MIN, 0), 5);
	drop();
}

static void what_is_too_long_stays_or_is_cut(void)
{
	EXPECT(make() >= 0);
	send_text(1, "eleven bytes");
	EXPECT_ERRNO(E2BIG, msgrcv(id, &message, 5, 0, 0));
	EXPECT_EQUAL(msgrcv(id, &message, 5, 0, MSG_NOERROR), 5);
	EXPECT(memcmp(message.text, "eleve", 5) == 0);
	EXPECT_ERRNO(ENOMSG, take(0, 0));
	drop();
}

static void a_copy_leaves_it_there(void)
{
	EXPECT(make() >= 0);
	send_text(5, "zero");
	send_text(6, "one");
	if (take(1, MSG_COPY) == -1 && errno == ENOSYS && may_be_restricted()) {
		drop();
		return; /* a Linux without checkpoints */
	}
	EXPECT(strcmp(message.text, "one") == 0);
	EXPECT_EQUAL(take(0, MSG_COPY), 5);
	EXPECT_ERRNO(ENOMSG, take(2, MSG_COPY));
	EXPECT_ERRNO(EINVAL, msgrcv(id, &message, 100, 0, MSG_COPY));
	EXPECT_ERRNO(EINVAL, take(0, MSG_COPY | MSG_EXCEPT));
	EXPECT_ERRNO(E2BIG, msgrcv(id, &message, 2, 0, MSG_COPY | IPC_NOWAIT));
	EXPECT_EQUAL(take(0, 0), 5);
	EXPECT_EQUAL(take(0, 0), 6);
	drop();
}

static void keys_find_queues(void)
{
	int first = msgget(own_key, IPC_CREAT | IPC_EXCL | 0600);

	EXPECT(first >= 0);
	EXPECT_EQUAL(msgget(own_key, IPC_CREAT | 0600), first);
	EXPECT_EQUAL(msgget(own_key, 0), first);
	EXPECT_ERRNO(EEXIST, msgget(own_key, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_EQUAL(msgctl(first, IPC_RMID, NULL), 0);
	EXPECT_ERRNO(ENOENT, msgget(own_key, 0600));
}

static int limit_to(unsigned long bytes)
{
	if (msgctl(id, IPC_STAT, &queue))
		return -1;
	queue.msg_qbytes = bytes;
	return msgctl(id, IPC_SET, &queue);
}

static void a_full_queue_takes_no_more(void)
{
	EXPECT(make() >= 0);
	EXPECT_EQUAL(limit_to(10), 0);
	EXPECT_EQUAL(send_text(1, "12345"), 0);
	EXPECT_ERRNO(EAGAIN, send_text(1, "67890"));
	EXPECT_EQUAL(send_text(1, "678"), 0);
	EXPECT_EQUAL(msgctl(id, IPC_STAT, &queue), 0);
	EXPECT_EQUAL(queue.msg_qnum, 2);
	EXPECT_EQUAL(queue.msg_cbytes, 10);
	EXPECT_EQUAL(queue.msg_qbytes, 10);
	/* Empty ones are counted as well. */
	while (take(0, 0) > 0)
		;
	for (int i = 0; i < 10; i++)
		EXPECT_EQUAL(msgsnd(id, &(long){1}, 0, IPC_NOWAIT), 0);
	EXPECT_ERRNO(EAGAIN, msgsnd(id, &(long){1}, 0, IPC_NOWAIT));
	drop();
}

/* ---- waiting ---- */

static int receive_two(void)
{
	return msgrcv(id, &message, 100, 2, 0) < 0 ? errno : message.text[0];
}

static int receive_little(void)
{
	return msgrcv(id, &message, 1, 0, 0) < 0 ? errno : message.text[0];
}

static int send_z(void)
{
	message.type = 1;
	strcpy(message.text, "zzzzz");
	return msgsnd(id, &message, 6, 0) ? errno : 0;
}

static void a_receiver_waits_for_its_type(void)
{
	pid_t receiver;

	EXPECT(make() >= 0);
	receiver = sleeping_child(receive_two);
	EXPECT_EQUAL(send_text(1, "no"), 0);
	EXPECT_EQUAL(send_text(2, "yes"), 0);
	EXPECT_EQUAL(end_of(receiver), 'y');
	EXPECT_EQUAL(msgctl(id, IPC_STAT, &queue), 0);
	EXPECT_EQUAL(queue.msg_qnum, 1);
	EXPECT_EQUAL(queue.msg_lspid, getpid());
	EXPECT_EQUAL(queue.msg_lrpid, receiver);
	drop();
}

static void one_with_too_little_room_is_told_and_the_next_gets_it(void)
{
	pid_t little, other;

	EXPECT(make() >= 0);
	little = sleeping_child(receive_little);
	other = sleeping_child(receive_two);
	EXPECT_EQUAL(send_text(2, "long"), 0);
	EXPECT_EQUAL(end_of(little), E2BIG);
	EXPECT_EQUAL(end_of(other), 'l');
	EXPECT_ERRNO(ENOMSG, take(0, 0));
	drop();
}

static void a_sender_waits_for_room(void)
{
	pid_t sender;

	EXPECT(make() >= 0);
	EXPECT_EQUAL(limit_to(8), 0);
	EXPECT_EQUAL(send_text(1, "12345"), 0);
	sender = sleeping_child(send_z);
	EXPECT_EQUAL(send_text(2, "6"), 0); /* this fits */
	EXPECT_EQUAL(take(2, 0), 2);
	EXPECT_EQUAL(take(0, 0), 1);
	EXPECT_EQUAL(message.text[0], '1');
	EXPECT_EQUAL(end_of(sender), 0);
	EXPECT_EQUAL(take(0, 0), 1);
	EXPECT_EQUAL(message.text[0], 'z');
	/* More may be in it from now on. */
	EXPECT_EQUAL(send_text(1, "12345"), 0);
	sender = sleeping_child(send_z);
	EXPECT_EQUAL(limit_to(100), 0);
	EXPECT_EQUAL(end_of(sender), 0);
	drop();
}

static void who_waits_learns_that_the_queue_is_removed(void)
{
	pid_t waiter;

	EXPECT(make() >= 0);
	waiter = sleeping_child(receive_two);
	EXPECT_EQUAL(msgctl(id, IPC_RMID, NULL), 0);
	EXPECT_EQUAL(end_of(waiter), EIDRM);
	EXPECT(make() >= 0);
	EXPECT_EQUAL(limit_to(1), 0);
	waiter = sleeping_child(send_z);
	EXPECT_EQUAL(msgctl(id, IPC_RMID, NULL), 0);
	EXPECT_EQUAL(end_of(waiter), EIDRM);
}

static int receive_with_handler(void)
{
	install(SIGUSR1, note, SA_RESTART);
	return receive_two();
}

static int send_with_handler(void)
{
	install(SIGUSR1, note, SA_RESTART);
	return send_z();
}

static void a_signal_interrupts(void)
{
	pid_t waiter;

	EXPECT(make() >= 0);
	waiter = sleeping_child(receive_with_handler);
	kill(waiter, SIGUSR1);
	EXPECT_EQUAL(end_of(waiter), EINTR);
	EXPECT_EQUAL(limit_to(1), 0);
	waiter = sleeping_child(send_with_handler);
	kill(waiter, SIGUSR1);
	EXPECT_EQUAL(end_of(waiter), EINTR);
	EXPECT_ERRNO(ENOMSG, take(0, 0));
	drop();
}

/* Without a handler it goes on. */
static void a_stop_does_not(void)
{
	pid_t waiter;
	int status;

	EXPECT(make() >= 0);
	waiter = sleeping_child(receive_two);
	kill(waiter, SIGSTOP);
	EXPECT_EQUAL(waitpid(waiter, &status, WUNTRACED), waiter);
	kill(waiter, SIGCONT);
	EXPECT_EQUAL(waitpid(waiter, &status, WCONTINUED), waiter);
	EXPECT_EQUAL(send_text(2, "on"), 0);
	EXPECT_EQUAL(end_of(waiter), 'o');
	drop();
}

/* ---- msgctl ---- */

static void stat_tells_who_and_when(void)
{
	EXPECT(make() >= 0);
	EXPECT_EQUAL(msgctl(id, IPC_STAT, &queue), 0);
	EXPECT_EQUAL(queue.msg_stime, 0);
	EXPECT_EQUAL(queue.msg_rtime, 0);
	EXPECT_EQUAL(queue.msg_lspid, 0);
	EXPECT_EQUAL(queue.msg_lrpid, 0);
	EXPECT_EQUAL(queue.msg_qbytes, 16384);
	EXPECT_EQUAL(queue.msg_perm.mode, 0600);
	EXPECT_EQUAL(queue.msg_perm.cuid, geteuid());
	send_text(1, "x");
	EXPECT_EQUAL(take(0, 0), 1);
	EXPECT_EQUAL(msgctl(id, IPC_STAT, &queue), 0);
	EXPECT(queue.msg_stime >= queue.msg_ctime && queue.msg_rtime >= queue.msg_stime);
	EXPECT(is_listed("msg", id));
	drop();
	EXPECT(!is_listed("msg", id));
}

static int may_do_nothing(void)
{
	NEED(send_text(1, "x") == -1 && errno == EACCES);
	NEED(take(0, 0) == -1 && errno == EACCES);
	NEED(msgctl(id, IPC_STAT, &queue) == -1 && errno == EACCES);
	NEED(msgctl(id, IPC_SET, &queue) == -1 && errno == EPERM);
	NEED(msgctl(id, IPC_RMID, NULL) == -1 && errno == EPERM);
	NEED(msgget(own_key, 0600) == -1 && errno == EACCES);
	return 0;
}

static int may_write(void)
{
	NEED(send_text(1, "x") == 0);
	NEED(take(0, 0) == -1 && errno == EACCES);
	return 0;
}

static int owns(void)
{
	NEED(take(0, 0) == 1);
	NEED(limit_to(16384) == 0);
	NEED(limit_to(16385) == -1 && errno == EPERM);
	NEED(msgctl(id, IPC_RMID, NULL) == 0);
	return 0;
}

static void permissions_are_those_of_files(void)
{
	if (geteuid())
		return;
	EXPECT((id = msgget(own_key, IPC_CREAT | IPC_EXCL | 0600)) >= 0);
	EXPECT_EQUAL(as_user(may_do_nothing), 0);
	EXPECT_EQUAL(msgctl(id, IPC_STAT, &queue), 0);
	queue.msg_perm.mode = 0620;
	EXPECT_EQUAL(msgctl(id, IPC_SET, &queue), 0);
	EXPECT_EQUAL(as_user(may_write), 0);
	queue.msg_perm.mode = 0600;
	queue.msg_perm.uid = 1000;
	EXPECT_EQUAL(msgctl(id, IPC_SET, &queue), 0);
	EXPECT_EQUAL(as_user(owns), 0);
	EXPECT_ERRNO(EINVAL, msgctl(id, IPC_STAT, &queue));
}

static void the_whole_is_told(void)
{
	struct msginfo info, limits;
	int highest, found = 0;

	EXPECT(make() >= 0);
	send_text(1, "12345");
	highest = msgctl(0, MSG_INFO, (struct msqid_ds *)&info);
	EXPECT(highest >= 0);
	EXPECT(info.msgpool >= 1 && info.msgmap >= 1 && info.msgtql >= 6);
	EXPECT(msgctl(0, IPC_INFO, (struct msqid_ds *)&limits) >= 0);
	EXPECT_EQUAL(limits.msgmax, 8192);
	EXPECT_EQUAL(limits.msgmnb, 16384);
	for (int i = 0; i <= highest; i++) {
		if (msgctl(i, MSG_STAT, &queue) == id) {
			EXPECT_EQUAL(queue.msg_qnum, 1);
			EXPECT_EQUAL(msgctl(i, MSG_STAT_ANY, &queue), id);
			found++;
		}
	}
	EXPECT_EQUAL(found, 1);
	drop();
}

static void what_makes_no_sense_is_refused(void)
{
	void *nowhere = (void *)1;

	EXPECT(make() >= 0);
	EXPECT_ERRNO(EINVAL, send_text(0, "x"));
	EXPECT_ERRNO(EINVAL, send_text(-1, "x"));
	message.type = 1;
	EXPECT_ERRNO(EINVAL, msgsnd(id, &message, 8193, IPC_NOWAIT));
	EXPECT_ERRNO(EINVAL, msgsnd(-1, &message, 1, IPC_NOWAIT));
	EXPECT_ERRNO(EINVAL, msgrcv(-1, &message, 1, 0, IPC_NOWAIT));
	EXPECT_ERRNO(EINVAL, msgrcv(id, &message, -1ul, 0, IPC_NOWAIT));
	EXPECT_ERRNO(EFAULT, syscall(SYS_msgsnd, id, nowhere, 1, IPC_NOWAIT));
	EXPECT_EQUAL(msgsnd(id, &message, 8192, IPC_NOWAIT), 0);
	EXPECT_ERRNO(EFAULT, syscall(SYS_msgrcv, id, nowhere, 9000, 0, IPC_NOWAIT));
	EXPECT_ERRNO(EINVAL, msgctl(id, 1000, NULL));
	EXPECT_ERRNO(EINVAL, syscall(SYS_msgctl, id, -1, NULL));
	EXPECT_ERRNO(EINVAL, msgctl(32767, MSG_STAT, &queue));
	EXPECT_ERRNO(EFAULT, syscall(SYS_msgctl, id, IPC_STAT, nowhere));
	EXPECT_ERRNO(EFAULT, syscall(SYS_msgctl, id, IPC_SET, nowhere));
	EXPECT_ERRNO(EFAULT, syscall(SYS_msgctl, id, MSG_INFO, nowhere));
	drop();
}

int main(void)
{
	own_key = 0x46000000 + getpid();
	RUN(messages_come_in_their_order);
	RUN(types_choose);
	RUN(what_is_too_long_stays_or_is_cut);
	RUN(a_copy_leaves_it_there);
	RUN(keys_find_queues);
	RUN(a_full_queue_takes_no_more);
	RUN(a_receiver_waits_for_its_type);
	RUN(one_with_too_little_room_is_told_and_the_next_gets_it);
	RUN(a_sender_waits_for_room);
	RUN(who_waits_learns_that_the_queue_is_removed);
	RUN(a_signal_interrupts);
	RUN(a_stop_does_not);
	RUN(stat_tells_who_and_when);
	RUN(permissions_are_those_of_files);
	RUN(the_whole_is_told);
	RUN(what_makes_no_sense_is_refused);
	return check_end();
}
