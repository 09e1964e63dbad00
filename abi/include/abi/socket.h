/*
 * Sockets as Linux has them on x86-64.
 */
#ifndef ABI_SOCKET_H
#define ABI_SOCKET_H

#include <stdint.h>

#define AF_UNSPEC  0
#define AF_UNIX    1
#define AF_NETLINK 16 /* only so that mq_notify has somewhere to send its notices */
#define AF_MAX     46

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3 /* for AF_UNIX the same as SOCK_DGRAM */
#define SOCK_SEQPACKET 5
#define SOCK_TYPES     11  /* there is none from here on */
#define SOCK_TYPE_MASK 0xf /* beside it: O_NONBLOCK, O_CLOEXEC */

#define SHUT_RD   0
#define SHUT_WR   1
#define SHUT_RDWR 2

#define MSG_OOB          0x1u
#define MSG_PEEK         0x2u
#define MSG_CTRUNC       0x8u
#define MSG_TRUNC        0x20u
#define MSG_DONTWAIT     0x40u
#define MSG_WAITALL      0x100u
#define MSG_NOSIGNAL     0x4000u
#define MSG_WAITFORONE   0x10000u
#define MSG_CMSG_CLOEXEC 0x40000000u

#define SOL_SOCKET               1
#define SO_DEBUG                 1
#define SO_REUSEADDR             2
#define SO_TYPE                  3
#define SO_ERROR                 4
#define SO_DONTROUTE             5
#define SO_BROADCAST             6
#define SO_SNDBUF                7
#define SO_RCVBUF                8
#define SO_KEEPALIVE             9
#define SO_OOBINLINE             10
#define SO_NO_CHECK              11
#define SO_PRIORITY              12
#define SO_LINGER                13
#define SO_BSDCOMPAT             14
#define SO_REUSEPORT             15
#define SO_PASSCRED              16
#define SO_PEERCRED              17
#define SO_RCVLOWAT              18
#define SO_SNDLOWAT              19
#define SO_RCVTIMEO              20
#define SO_SNDTIMEO              21
#define SO_BINDTODEVICE          25
#define SO_ATTACH_FILTER         26
#define SO_GET_FILTER            26 /* by getsockopt */
#define SO_DETACH_FILTER         27
#define SO_PEERNAME              28
#define SO_TIMESTAMP             29
#define SO_ACCEPTCONN            30
#define SO_SNDBUFFORCE           32
#define SO_RCVBUFFORCE           33
#define SO_PASSSEC               34
#define SO_TIMESTAMPNS           35
#define SO_MARK                  36
#define SO_TIMESTAMPING          37
#define SO_PROTOCOL              38
#define SO_DOMAIN                39
#define SO_RXQ_OVFL              40
#define SO_WIFI_STATUS           41
#define SO_PEEK_OFF              42
#define SO_NOFCS                 43
#define SO_LOCK_FILTER           44
#define SO_SELECT_ERR_QUEUE      45
#define SO_BUSY_POLL             46
#define SO_MAX_PACING_RATE       47
#define SO_BPF_EXTENSIONS        48
#define SO_INCOMING_CPU          49
#define SO_ATTACH_BPF            50
#define SO_ATTACH_REUSEPORT_CBPF 51
#define SO_ATTACH_REUSEPORT_EBPF 52
#define SO_CNX_ADVICE            53
#define SO_MEMINFO               55
#define SO_INCOMING_NAPI_ID      56
#define SO_COOKIE                57
#define SO_PEERGROUPS            59
#define SO_ZEROCOPY              60
#define SO_TXTIME                61
#define SO_BINDTOIFINDEX         62
#define SO_TIMESTAMP_NEW         63
#define SO_DETACH_REUSEPORT_BPF  68
#define SO_TIMESTAMPNS_NEW       64
#define SO_TIMESTAMPING_NEW      65
#define SO_RCVTIMEO_NEW          66
#define SO_SNDTIMEO_NEW          67
#define SO_PREFER_BUSY_POLL      69
#define SO_BUSY_POLL_BUDGET      70
#define SO_NETNS_COOKIE          71
#define SO_BUF_LOCK              72
#define SO_RESERVE_MEM           73
#define SO_TXREHASH              74
#define SO_RCVMARK               75
#define SO_PASSPIDFD             76
#define SO_PEERPIDFD             77

#define SCM_RIGHTS      1
#define SCM_CREDENTIALS 2
#define SCM_PIDFD       4
#define SCM_MAX_FD      253

/* SO_TIMESTAMPING: which times of a message are wanted. */
struct abi_so_timestamping {
	uint32_t flags;
	int32_t clock;
};

#define SOF_TIMESTAMPING_SOFTWARE   0x10u
#define SOF_TIMESTAMPING_OPT_ID     0x80u
#define SOF_TIMESTAMPING_OPT_TSONLY 0x800u
#define SOF_TIMESTAMPING_OPT_STATS  0x1000u
#define SOF_TIMESTAMPING_BIND_PHC   0x8000u
#define SOF_TIMESTAMPING_OPT_ID_TCP 0x10000u
#define SOF_TIMESTAMPING_KNOWN      0x1ffffu

/* SO_TXTIME */
struct abi_sock_txtime {
	int32_t clock;
	uint32_t flags;
};

#define SOF_TXTIME_KNOWN 0x3u

/* SO_BUF_LOCK: sizes that were asked for. */
#define SOCK_BUF_LOCK_SEND    0x1u
#define SOCK_BUF_LOCK_RECEIVE 0x2u
#define SOCK_BUF_LOCK_KNOWN   0x3u

/* What SO_MEMINFO gives, by place. */
enum { MEMINFO_RECEIVED, MEMINFO_RECEIVE_MAX, MEMINFO_SENT, MEMINFO_SEND_MAX, MEMINFO_COUNT = 9 };

#define SOMAXCONN 4096 /* as listen(2) cuts its argument */

#define FIOSETOWN  0x8901u /* of sockets alone */
#define SIOCSPGRP  0x8902u
#define FIOGETOWN  0x8903u
#define SIOCGPGRP  0x8904u
#define SIOCATMARK 0x8905u /* whether the urgent byte is the next */
#define SIOCOUTQ   0x5411u /* bytes that were sent from here and not received */

/* The largest address of any family that a call takes. */
#define SOCKADDR_BYTES_MAX 128

struct abi_sockaddr_un {
	uint16_t family;
	char path[108];
};

struct abi_sockaddr_nl {
	uint16_t family;
	uint16_t padding;
	uint32_t pid, groups;
};

struct abi_linger {
	int32_t on;
	int32_t seconds;
};

struct abi_msghdr {
	uint64_t name;
	uint32_t name_bytes;
	uint32_t padding;
	uint64_t pieces;
	uint64_t npieces;
	uint64_t control;
	uint64_t control_bytes;
	uint32_t flags;
	uint32_t padding_behind;
};

/* An element of what sendmmsg and recvmmsg take. */
struct abi_mmsghdr {
	struct abi_msghdr header;
	uint32_t len_bytes; /* that went */
	uint32_t padding;
};

/* What follows it is aligned to 8 bytes, and so is the next one. */
struct abi_cmsghdr {
	uint64_t len_bytes; /* with this header */
	int32_t level;
	int32_t type;
};

struct abi_ucred {
	int32_t pid;
	uint32_t uid;
	uint32_t gid;
};

_Static_assert(sizeof(struct abi_msghdr) == 56, "Linux's on x86-64");
_Static_assert(sizeof(struct abi_mmsghdr) == 64, "Linux's on x86-64");

#endif
