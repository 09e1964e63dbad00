/*
 * Classic BPF, checked once and interpreted. What a program may be and what it does is Linux's
 * (net/core/filter.c, kernel/seccomp.c); that interpreter's translation into its own code is not
 * there, but where it can be seen: a load that fails ends the program with 0, one of an interface
 * that a packet does not have ends it with A.
 */
#include <lib/bpf.h>

#include <abi/errno.h>
#include <lib/string.h>

#define SHIFT_MAX 31u

/* ---- checking ---- */

static bool is_jump_condition(unsigned op)
{
	return op == BPF_JEQ || op == BPF_JGT || op == BPF_JGE || op == BPF_JSET;
}

static bool is_known_load(unsigned code)
{
	unsigned size = BPF_SIZE(code);

	switch (BPF_MODE(code)) {
	case BPF_ABS:
	case BPF_IND:
		return BPF_CLASS(code) == BPF_LD && size <= BPF_B;
	case BPF_MSH:
		return BPF_CLASS(code) == BPF_LDX && size == BPF_B;
	case BPF_IMM:
	case BPF_MEM:
	case BPF_LEN:
		return size == BPF_W;
	default:
		return false;
	}
}

static bool is_known(unsigned code)
{
	unsigned op = BPF_OP(code);

	if (code > 0xff)
		return false;
	switch (BPF_CLASS(code)) {
	case BPF_LD:
	case BPF_LDX:
		return is_known_load(code);
	case BPF_ALU:
		return op <= BPF_XOR && (op != BPF_NEG || BPF_SRC(code) == BPF_K);
	case BPF_JMP:
		return is_jump_condition(op) || code == (BPF_JMP | BPF_JA);
	case BPF_RET:
		return code == (BPF_RET | BPF_K) || code == (BPF_RET | BPF_A);
	case BPF_MISC:
		return code == (BPF_MISC | BPF_TAX) || code == (BPF_MISC | BPF_TXA);
	default: /* BPF_ST, BPF_STX */
		return BPF_SIZE(code) == 0 && BPF_MODE(code) == 0;
	}
}

/* Filters of calls have fewer, and load whole words of what they know to be there. */
static bool is_for_calls(const struct abi_filter_instruction *at, uint32_t len_bytes)
{
	unsigned class = BPF_CLASS(at->code);

	if (class == BPF_LD && BPF_MODE(at->code) == BPF_ABS)
		return BPF_SIZE(at->code) == BPF_W && at->k < len_bytes &&
		       at->k % sizeof(uint32_t) == 0;
	if (class == BPF_LD || class == BPF_LDX)
		return BPF_MODE(at->code) != BPF_IND && BPF_MODE(at->code) != BPF_MSH;
	return class != BPF_ALU || BPF_OP(at->code) != BPF_MOD;
}

static bool is_beside_known(uint32_t k)
{
	return k - BPF_BESIDE_AT < BPF_BESIDE_END && k % 4 == 0;
}

/* `left`: instructions behind it. */
static bool has_good_operand(const struct abi_filter_instruction *at, unsigned left)
{
	unsigned op = BPF_OP(at->code);

	switch (BPF_CLASS(at->code)) {
	case BPF_LD:
	case BPF_LDX:
		if (BPF_MODE(at->code) == BPF_MEM)
			return at->k < BPF_MEMORY_WORDS;
		return BPF_MODE(at->code) != BPF_ABS || at->k < BPF_BESIDE_AT ||
		       is_beside_known(at->k);
	case BPF_ST:
	case BPF_STX:
		return at->k < BPF_MEMORY_WORDS;
	case BPF_ALU:
		if (BPF_SRC(at->code) == BPF_X)
			return true;
		if (op == BPF_DIV || op == BPF_MOD)
			return at->k != 0;
		return (op != BPF_LSH && op != BPF_RSH) || at->k <= SHIFT_MAX;
	case BPF_JMP:
		return op == BPF_JA ? at->k < left : at->if_true < left && at->if_false < left;
	default:
		return true;
	}
}

/* Whether each word that is loaded was stored on every way that leads there. `known`: by
 * instruction, the words that all jumps to it have stored. */
static bool memory_is_written_first(const struct abi_filter_instruction *program, unsigned count,
				    uint16_t *known)
{
	unsigned words = 0;

	memset(known, 0xff, count * sizeof(*known));
	for (unsigned i = 0; i < count; i++) {
		const struct abi_filter_instruction *at = &program[i];
		unsigned class = BPF_CLASS(at->code);

		words &= known[i];
		if (class == BPF_ST || class == BPF_STX) {
			words |= 1u << at->k;
		} else if ((class == BPF_LD || class == BPF_LDX) && BPF_MODE(at->code) == BPF_MEM) {
			if (!(words & 1u << at->k))
				return false;
		} else if (class == BPF_JMP) {
			bool is_always = BPF_OP(at->code) == BPF_JA;

			known[i + 1 + (is_always ? at->k : at->if_true)] &= (uint16_t)words;
			known[i + 1 + (is_always ? at->k : at->if_false)] &= (uint16_t)words;
			words = ~0u; /* nobody comes to the next but by a jump */
		}
	}
	return true;
}

err_t bpf_check(const struct abi_filter_instruction *program, unsigned count, enum bpf_kind kind,
		uint32_t len_bytes, uint16_t *scratch)
{
	if (!count || count > BPF_INSTRUCTIONS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		const struct abi_filter_instruction *at = &program[i];

		if (!is_known(at->code) || !has_good_operand(at, count - 1 - i))
			return -EINVAL;
		if (kind == BPF_OF_CALLS && !is_for_calls(at, len_bytes))
			return -EINVAL;
	}
	if (BPF_CLASS(program[count - 1].code) != BPF_RET)
		return -EINVAL;
	return memory_is_written_first(program, count, scratch) ? 0 : -EINVAL;
}

/* ---- running ---- */

struct machine {
	uint32_t a, x;
	bool has_ended; /* by something else than a return: the result is `a` */
	uint32_t memory[BPF_MEMORY_WORDS];
	const struct bpf_input *input;
};

static void end(struct machine *machine, uint32_t result)
{
	machine->has_ended = true;
	machine->a = result;
}

/* False: it is not there. */
static bool fetch(const struct bpf_input *input, uint32_t at, unsigned size, uint32_t *out)
{
	uint32_t bytes = size == BPF_W ? 4 : size == BPF_H ? 2 : 1;
	uint32_t value = 0;

	if (at >= BPF_NETWORK_AT)
		at -= BPF_NETWORK_AT; /* which has no head in front of it */
	if (at > input->len_bytes || bytes > input->len_bytes - at)
		return false;
	for (uint32_t i = 0; i < bytes; i++)
		value = value << 8 | input->bytes[at + i];
	*out = value;
	return true;
}

/* ---- what is beside a packet ---- */

struct attribute {
	uint16_t len_bytes; /* with this head */
	uint16_t type;
};

#define ATTRIBUTE_TYPE 0x3fff /* of the type; what is above are flags */

/* The place of the first attribute of `type` between two places of the input; 0: there is none. */
static uint32_t find_attribute(const struct bpf_input *input, uint32_t at, uint32_t until,
			       uint32_t type)
{
	struct attribute head;

	while (until - at >= sizeof(head)) {
		memcpy(&head, input->bytes + at, sizeof(head));
		if (head.len_bytes < sizeof(head) || head.len_bytes > until - at)
			break;
		if ((head.type & ATTRIBUTE_TYPE) == type)
			return at;
		at += MIN(ALIGN_UP((uint32_t)head.len_bytes, 4), until - at);
	}
	return 0;
}

static uint32_t attribute_at(const struct machine *machine)
{
	const struct bpf_input *input = machine->input;

	if (machine->a > input->len_bytes)
		return 0;
	return find_attribute(input, machine->a, input->len_bytes, machine->x);
}

/* The same among those that the attribute at A holds. */
static uint32_t nested_attribute_at(const struct machine *machine)
{
	const struct bpf_input *input = machine->input;
	uint32_t at = machine->a;
	struct attribute head;

	if (at > input->len_bytes || input->len_bytes - at < sizeof(head))
		return 0;
	memcpy(&head, input->bytes + at, sizeof(head));
	if (head.len_bytes < sizeof(head) || head.len_bytes > input->len_bytes - at)
		return 0;
	return find_attribute(input, at + sizeof(head), at + head.len_bytes, machine->x);
}

/* A packet that came through no interface. */
static void load_beside(struct machine *machine, uint32_t what)
{
	switch (what) {
	case BPF_BESIDE_INTERFACE:
	case BPF_BESIDE_HARDWARE:
		end(machine, machine->a);
		break;
	case BPF_BESIDE_ATTRIBUTE:
		machine->a = attribute_at(machine);
		break;
	case BPF_BESIDE_NESTED:
		machine->a = nested_attribute_at(machine);
		break;
	case BPF_BESIDE_XOR:
		machine->a ^= machine->x;
		break;
	case BPF_BESIDE_CPU:
	case BPF_BESIDE_RANDOM:
		machine->a = machine->input->beside(what);
		break;
	default:
		machine->a = 0;
		break;
	}
}

/* ---- instructions ---- */

static void load_input(struct machine *machine, const struct abi_filter_instruction *at)
{
	const struct bpf_input *input = machine->input;
	uint32_t place = at->k + (BPF_MODE(at->code) == BPF_IND ? machine->x : 0);

	if (input->kind == BPF_OF_CALLS)
		memcpy(&machine->a, input->bytes + place, sizeof(machine->a));
	else if (BPF_MODE(at->code) == BPF_ABS && place >= BPF_BESIDE_AT)
		load_beside(machine, place - BPF_BESIDE_AT);
	else if (!fetch(input, place, BPF_SIZE(at->code), &machine->a))
		end(machine, 0);
}

/* Four times the low half of a byte: the length of an internet packet's head. */
static void load_head_length(struct machine *machine, uint32_t place)
{
	uint32_t byte;

	if (fetch(machine->input, place, BPF_B, &byte))
		machine->x = (byte & 0xf) * 4;
	else
		end(machine, 0);
}

static void load(struct machine *machine, const struct abi_filter_instruction *at)
{
	uint32_t *target = BPF_CLASS(at->code) == BPF_LD ? &machine->a : &machine->x;

	switch (BPF_MODE(at->code)) {
	case BPF_IMM:
		*target = at->k;
		break;
	case BPF_MEM:
		*target = machine->memory[at->k];
		break;
	case BPF_LEN:
		*target = machine->input->len_bytes;
		break;
	case BPF_MSH:
		load_head_length(machine, at->k);
		break;
	default:
		load_input(machine, at);
		break;
	}
}

static void divide(struct machine *machine, uint32_t by, bool rest)
{
	if (!by)
		end(machine, 0);
	else
		machine->a = rest ? machine->a % by : machine->a / by;
}

static void calculate(struct machine *machine, unsigned op, uint32_t by)
{
	switch (op) {
	case BPF_ADD:
		machine->a += by;
		break;
	case BPF_SUB:
		machine->a -= by;
		break;
	case BPF_MUL:
		machine->a *= by;
		break;
	case BPF_DIV:
	case BPF_MOD:
		divide(machine, by, op == BPF_MOD);
		break;
	case BPF_OR:
		machine->a |= by;
		break;
	case BPF_AND:
		machine->a &= by;
		break;
	case BPF_XOR:
		machine->a ^= by;
		break;
	case BPF_LSH:
		machine->a <<= by & SHIFT_MAX;
		break;
	case BPF_RSH:
		machine->a >>= by & SHIFT_MAX;
		break;
	default: /* BPF_NEG */
		machine->a = 0 - machine->a;
		break;
	}
}

/* How many instructions are left out. */
static uint32_t jump(uint32_t a, const struct abi_filter_instruction *at, uint32_t by)
{
	bool holds;

	switch (BPF_OP(at->code)) {
	case BPF_JA:
		return at->k;
	case BPF_JEQ:
		holds = a == by;
		break;
	case BPF_JGT:
		holds = a > by;
		break;
	case BPF_JGE:
		holds = a >= by;
		break;
	default: /* BPF_JSET */
		holds = a & by;
		break;
	}
	return holds ? at->if_true : at->if_false;
}

uint32_t bpf_run(const struct abi_filter_instruction *program, const struct bpf_input *input)
{
	struct machine machine = {.input = input};

	for (const struct abi_filter_instruction *at = program; !machine.has_ended; at++) {
		uint32_t by = BPF_SRC(at->code) == BPF_X ? machine.x : at->k;

		switch (BPF_CLASS(at->code)) {
		case BPF_LD:
		case BPF_LDX:
			load(&machine, at);
			break;
		case BPF_ST:
			machine.memory[at->k] = machine.a;
			break;
		case BPF_STX:
			machine.memory[at->k] = machine.x;
			break;
		case BPF_ALU:
			calculate(&machine, BPF_OP(at->code), by);
			break;
		case BPF_JMP:
			at += jump(machine.a, at, by);
			break;
		case BPF_RET:
			return at->code == (BPF_RET | BPF_A) ? machine.a : at->k;
		default: /* BPF_MISC */
			if (at->code == (BPF_MISC | BPF_TAX))
				machine.x = machine.a;
			else
				machine.a = machine.x;
			break;
		}
	}
	return machine.a;
}
