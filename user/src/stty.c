/*
 * stty: a terminal's settings.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] =
	"usage: stty [-F DEVICE] [SETTING...]\n"
	"Shows the settings of a terminal (standard input), or changes some: a speed, NAME\n"
	"or -NAME, raw, cooked, sane.\n"
	"  -F DEVICE  another terminal\n";

struct name {
	const char *name;
	tcflag_t flag;
	tcflag_t mask; /* of a field; 0: the flag itself */
};

static const struct name input_names[] = {
	{"ignbrk", IGNBRK, 0},
	{"brkint", BRKINT, 0},
	{"ignpar", IGNPAR, 0},
	{"parmrk", PARMRK, 0},
	{"inpck", INPCK, 0},
	{"istrip", ISTRIP, 0},
	{"inlcr", INLCR, 0},
	{"igncr", IGNCR, 0},
	{"icrnl", ICRNL, 0},
	{"ixon", IXON, 0},
	{"ixany", IXANY, 0},
	{"ixoff", IXOFF, 0},
	{"imaxbel", IMAXBEL, 0},
#ifdef IUTF8
	{"iutf8", IUTF8, 0},
#endif
	{NULL, 0, 0},
};
static const struct name output_names[] = {
	{"opost", OPOST, 0}, {"onlcr", ONLCR, 0},   {"ocrnl", OCRNL, 0},
	{"onocr", ONOCR, 0}, {"onlret", ONLRET, 0}, {NULL, 0, 0},
};
static const struct name control_names[] = {
	{"cs5", CS5, CSIZE},   {"cs6", CS6, CSIZE},     {"cs7", CS7, CSIZE},
	{"cs8", CS8, CSIZE},   {"cstopb", CSTOPB, 0},   {"cread", CREAD, 0},
	{"parenb", PARENB, 0}, {"parodd", PARODD, 0},   {"hupcl", HUPCL, 0},
	{"clocal", CLOCAL, 0}, {"crtscts", CRTSCTS, 0}, {NULL, 0, 0},
};
static const struct name local_names[] = {
	{"isig", ISIG, 0},       {"icanon", ICANON, 0}, {"iexten", IEXTEN, 0},
	{"echo", ECHO, 0},       {"echoe", ECHOE, 0},   {"echok", ECHOK, 0},
	{"echonl", ECHONL, 0},   {"noflsh", NOFLSH, 0}, {"tostop", TOSTOP, 0},
	{"echoctl", ECHOCTL, 0}, {"echoke", ECHOKE, 0}, {NULL, 0, 0},
};

static const struct {
	speed_t code;
	unsigned rate;
} speeds[] = {
	{B0, 0},           {B50, 50},       {B75, 75},         {B110, 110},       {B134, 134},
	{B150, 150},       {B200, 200},     {B300, 300},       {B600, 600},       {B1200, 1200},
	{B1800, 1800},     {B2400, 2400},   {B4800, 4800},     {B9600, 9600},     {B19200, 19200},
	{B38400, 38400},   {B57600, 57600}, {B115200, 115200}, {B230400, 230400}, {B460800, 460800},
	{B921600, 921600},
};
#define NSPEEDS (sizeof(speeds) / sizeof(speeds[0]))

/* ---- showing ---- */

static void print_names(const struct name *names, tcflag_t flags)
{
	for (; names->name; names++) {
		tcflag_t mask = names->mask ? names->mask : names->flag;
		bool is_set = (flags & mask) == names->flag;

		if (is_set || !names->mask)
			printf(" %s%s", is_set ? "" : "-", names->name);
	}
	putchar('\n');
}

static unsigned rate_of(speed_t code)
{
	for (size_t i = 0; i < NSPEEDS; i++) {
		if (speeds[i].code == code)
			return speeds[i].rate;
	}
	return 0;
}

static void show(int descriptor, const struct termios *settings)
{
	struct winsize size = {0};

	ioctl(descriptor, TIOCGWINSZ, &size);
	printf("speed %u baud; rows %u; columns %u\n", rate_of(cfgetospeed(settings)), size.ws_row,
	       size.ws_col);
	print_names(control_names, settings->c_cflag);
	print_names(input_names, settings->c_iflag);
	print_names(output_names, settings->c_oflag);
	print_names(local_names, settings->c_lflag);
}

/* ---- changing ---- */

static bool change_name(const struct name *names, const char *word, tcflag_t *flags)
{
	bool off = word[0] == '-';

	for (; names->name; names++) {
		if (strcmp(names->name, word + off) != 0 || (off && names->mask))
			continue;
		*flags &= ~(names->mask ? names->mask : names->flag);
		if (!off)
			*flags |= names->flag;
		return true;
	}
	return false;
}

static bool change_speed(struct termios *settings, const char *word)
{
	char text[20];

	for (size_t i = 0; i < NSPEEDS; i++) {
		snprintf(text, sizeof(text), "%u", speeds[i].rate);
		if (strcmp(text, word) != 0)
			continue;
		cfsetospeed(settings, speeds[i].code);
		cfsetispeed(settings, speeds[i].code);
		return true;
	}
	return false;
}

static void make_sane(struct termios *settings)
{
	settings->c_iflag = (settings->c_iflag & ~(tcflag_t)(IGNBRK | INLCR | IGNCR | IXOFF)) |
			    BRKINT | ICRNL | IXON;
	settings->c_oflag |= OPOST | ONLCR;
	settings->c_cflag |= CREAD;
	settings->c_lflag |= ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
	settings->c_lflag &= ~(tcflag_t)(ECHONL | NOFLSH | TOSTOP);
}

static void change(struct termios *settings, const char *word)
{
	if (strcmp(word, "raw") == 0 || strcmp(word, "-cooked") == 0)
		cfmakeraw(settings);
	else if (strcmp(word, "sane") == 0 || strcmp(word, "cooked") == 0 ||
		 strcmp(word, "-raw") == 0)
		make_sane(settings);
	else if (!change_speed(settings, word) &&
		 !change_name(input_names, word, &settings->c_iflag) &&
		 !change_name(output_names, word, &settings->c_oflag) &&
		 !change_name(control_names, word, &settings->c_cflag) &&
		 !change_name(local_names, word, &settings->c_lflag))
		usage_error("there is no setting '%s'", word);
}

/* What a terminal cannot do it leaves as it was, without an error: so we look. */
static int apply(int descriptor, const char *device, const struct termios *wanted)
{
	struct termios now;

	if (tcsetattr(descriptor, TCSADRAIN, wanted) != 0 || tcgetattr(descriptor, &now) != 0) {
		complain_errno("%s", device);
		return 1;
	}
	if (cfgetospeed(&now) == cfgetospeed(wanted) && now.c_iflag == wanted->c_iflag &&
	    now.c_oflag == wanted->c_oflag && now.c_cflag == wanted->c_cflag &&
	    now.c_lflag == wanted->c_lflag)
		return 0;
	complain("%s: it cannot do all of that", device);
	return 1;
}

int main(int argc, char **argv)
{
	const char *device = "standard input";
	int descriptor = STDIN_FILENO;
	struct termios settings;
	int first = 1;
	int status = 0;

	program_start("stty", help, argc, argv);
	if (argc > 1 && strcmp(argv[1], "-F") == 0) {
		if (argc < 3)
			usage_error("-F needs a device");
		device = argv[2];
		first = 3;
		descriptor = open(device, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	}
	if (descriptor < 0 || tcgetattr(descriptor, &settings) != 0) {
		complain_errno("%s", device);
		return program_end(1);
	}
	for (int i = first; i < argc; i++)
		change(&settings, argv[i]);
	if (first < argc)
		status = apply(descriptor, device, &settings);
	else
		show(descriptor, &settings);
	return program_end(status);
}
