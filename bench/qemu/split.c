/*
 * A plugin for QEMU: how many instructions ran in user mode and how many in the kernel between two
 * marks (bench/common/bench.h), wherever in the machine. A line in QEMU's log (`-d plugin`) for
 * each stretch:
 *
 *	split USER KERNEL
 *
 * A block of instructions counts whole when it is entered, so one that a fault ends early counts
 * some too many. It is for one CPU: the counters are plain ones.
 *
 * QEMU's package brings no header. What is used of its interface (version 1; QEMU's manual,
 * "QEMU TCG Plugins") is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../common/marks.h"

enum { INLINE_ADD_U64 = 0, CALLBACK_NO_REGISTERS = 0 };

struct qemu_plugin_tb;
struct qemu_plugin_insn;

typedef void (*on_translation)(uint64_t plugin, struct qemu_plugin_tb *block);
typedef void (*on_execution)(unsigned cpu, void *argument);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t plugin, on_translation callback);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int operation,
					      void *counter, uint64_t number);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction,
					    on_execution callback, int flags, void *argument);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t number);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
void qemu_plugin_outs(const char *text);

/* What QEMU looks for. */
extern const int qemu_plugin_version;
const int qemu_plugin_version = 1;
int qemu_plugin_install(uint64_t plugin, const void *about, int argc, char **argv);

struct counts {
	uint64_t of[2]; /* by the upper bit of the address: user mode, kernel */
};

static struct counts counts, at_begin;

static void begin(unsigned cpu, void *argument)
{
	(void)cpu;
	(void)argument;
	at_begin = counts;
}

static void end(unsigned cpu, void *argument)
{
	char line[64];

	(void)cpu;
	(void)argument;
	snprintf(line, sizeof(line), "split %" PRIu64 " %" PRIu64 "\n",
		 counts.of[0] - at_begin.of[0], counts.of[1] - at_begin.of[1]);
	qemu_plugin_outs(line);
}

static bool is_mark(const struct qemu_plugin_insn *instruction, const unsigned char *mark)
{
	return qemu_plugin_insn_size(instruction) == BENCH_MARK_BYTES &&
	       memcmp(qemu_plugin_insn_data(instruction), mark, BENCH_MARK_BYTES) == 0;
}

static void translated(uint64_t plugin, struct qemu_plugin_tb *block)
{
	static const unsigned char begins[] = {BENCH_MARK_BEGIN}, ends[] = {BENCH_MARK_END};
	size_t ninstructions = qemu_plugin_tb_n_insns(block);

	(void)plugin;
	qemu_plugin_register_vcpu_tb_exec_inline(block, INLINE_ADD_U64,
						 &counts.of[qemu_plugin_tb_vaddr(block) >> 63],
						 ninstructions);
	for (size_t i = 0; i < ninstructions; i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);

		if (is_mark(instruction, begins))
			qemu_plugin_register_vcpu_insn_exec_cb(instruction, begin,
							       CALLBACK_NO_REGISTERS, NULL);
		else if (is_mark(instruction, ends))
			qemu_plugin_register_vcpu_insn_exec_cb(instruction, end,
							       CALLBACK_NO_REGISTERS, NULL);
	}
}

int qemu_plugin_install(uint64_t plugin, const void *about, int argc, char **argv)
{
	(void)about;
	(void)argc;
	(void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(plugin, translated);
	return 0;
}
