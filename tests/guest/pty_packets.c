/*
 * Pseudo terminals: packet mode, output that is held, and who may have the terminal.
 */
#include <sys/stat.h>

#include "as_user.h"
#include "pty_help.h"

static void packets_say_what_they_are(void)
{
	char text[16];
	int on = 1;

	open_pair();
	EXPECT_EQUAL(ioctl(master, TIOCPKT, &on), 0);
	on = 0;
	EXPECT_EQUAL(ioctl(master, TIOCGPKT, &on), 0);
	EXPECT_EQUAL(on, 1);
	EXPECT_EQUAL(write(slave, "hi", 2), 2);
	poll(&(struct pollfd){.fd = master, .events = POLLIN}, 1, -1);
	EXPECT_EQUAL(read(master, text, sizeof(text)), 3);
	EXPECT(memcmp(text, "\0hi", 3) == 0);
	EXPECT_EQUAL(tcflow(slave, TCOOFF), 0);
	EXPECT(ready(master) & POLLPRI);
	EXPECT_EQUAL(read(master, text, sizeof(text)), 1);
	EXPECT_EQUAL(text[0], TIOCPKT_STOP);
	EXPECT_EQUAL(tcflow(slave, TCOON), 0);
	EXPECT_EQUAL(read(master, text, sizeof(text)), 1);
	EXPECT_EQUAL(text[0], TIOCPKT_START);
	make_raw(); /* without ^S and ^Q */
	EXPECT_EQUAL(read(master, text, sizeof(text)), 1);
	EXPECT_EQUAL(text[0], TIOCPKT_NOSTOP);
	EXPECT_EQUAL(tcflush(slave, TCIFLUSH), 0);
	EXPECT_EQUAL(read(master, text, sizeof(text)), 1);
	EXPECT_EQUAL(text[0], TIOCPKT_FLUSHREAD);
	EXPECT_EQUAL(tcflush(slave, TCIFLUSH), 0);
	on = 0;
	EXPECT_EQUAL(ioctl(master, TIOCPKT, &on), 0); /* what was not read is forgotten */
	EXPECT_EQUAL(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(EAGAIN, read(master, text, sizeof(text)));
	close_pair();
}

static void what_tcoff_holds_only_tcon_lets_go(void)
{
	open_pair();
	EXPECT_EQUAL(tcflow(slave, TCOOFF), 0);
	EXPECT_EQUAL(write(master, "\021", 1), 1); /* ^Q */
	EXPECT_EQUAL(fcntl(slave, F_SETFL, O_NONBLOCK), 0);
	EXPECT_ERRNO(EAGAIN, write(slave, "x", 1));
	EXPECT_EQUAL(tcflow(slave, TCOON), 0);
	EXPECT_EQUAL(write(slave, "x", 1), 1);
	EXPECT(reads(master, "x"));
	close_pair();
}

/* A session of its own, which would have the terminal. */
static int take_by_writing(void)
{
	int fd;

	NEED(setsid() > 0);
	fd = open(slave_name, O_WRONLY | O_NOCTTY);
	NEED(fd >= 0);
	NEED(ioctl(fd, TIOCSCTTY, 0) == -1 && errno == EPERM);
	return 0;
}

static void who_may_only_write_does_not_get_the_terminal(void)
{
	open_pair();
	EXPECT_EQUAL(fchmod(slave, 0622), 0);
	EXPECT_EQUAL(as_user(take_by_writing), 0);
	close_pair();
}

int main(void)
{
	RUN(packets_say_what_they_are);
	RUN(what_tcoff_holds_only_tcon_lets_go);
	RUN(who_may_only_write_does_not_get_the_terminal);
	return check_end();
}
