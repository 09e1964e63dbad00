/* sources: lib/bpf.c lib/string.c */
/*
 * Classic BPF: what may be a program, and what each instruction does.
 */
#include <lib/bpf.h>

#include <abi/errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NUMBER(...) (sizeof((struct abi_filter_instruction[]){__VA_ARGS__}) / 8)
#define RUN(...)    run((struct abi_filter_instruction[]){__VA_ARGS__}, NUMBER(__VA_ARGS__))
#define CHECK(kind, ...)                                                                           \
	check((struct abi_filter_instruction[]){__VA_ARGS__}, NUMBER(__VA_ARGS__), kind)
#define GOOD(...) assert_int_equal(CHECK(BPF_OF_PACKETS, __VA_ARGS__), 0)
#define BAD(...)  assert_int_equal(CHECK(BPF_OF_PACKETS, __VA_ARGS__), -EINVAL)

#define RETURN_A                                                                                   \
	{                                                                                          \
		BPF_RET | BPF_A, 0, 0, 0                                                           \
	}
#define SET_A(value)                                                                               \
	{                                                                                          \
		BPF_LD | BPF_IMM, 0, 0, value                                                      \
	}
#define SET_X(value)                                                                               \
	{                                                                                          \
		BPF_LDX | BPF_IMM, 0, 0, value                                                     \
	}
#define BESIDE(what)                                                                               \
	{                                                                                          \
		BPF_LD | BPF_W | BPF_ABS, 0, 0, BPF_BESIDE_AT + (what)                             \
	}

#define CALL_BYTES 64

static err_t check(const struct abi_filter_instruction *program, unsigned count, enum bpf_kind kind)
{
	uint16_t *scratch = malloc(count * sizeof(*scratch) + 1);
	err_t err = bpf_check(program, count, kind, CALL_BYTES, scratch);

	free(scratch);
	return err;
}

static uint32_t beside(unsigned what)
{
	return what == BPF_BESIDE_CPU ? 3 : 4711;
}

static const uint8_t packet[] = {0x01, 0x02, 0x03, 0x04, 0x85, 0x06, 0x07};

static uint32_t run(const struct abi_filter_instruction *program, unsigned count)
{
	struct bpf_input input = {packet, sizeof(packet), BPF_OF_PACKETS, beside};

	assert_int_equal(check(program, count, BPF_OF_PACKETS), 0);
	return bpf_run(program, &input);
}

static void loads(void **state)
{
	(void)state;
	assert_int_equal(RUN({BPF_LD | BPF_W | BPF_ABS, 0, 0, 0}, RETURN_A), 0x01020304);
	assert_int_equal(RUN({BPF_LD | BPF_H | BPF_ABS, 0, 0, 1}, RETURN_A), 0x0203);
	assert_int_equal(RUN({BPF_LD | BPF_B | BPF_ABS, 0, 0, 6}, RETURN_A), 0x07);
	assert_int_equal(RUN({BPF_LD | BPF_B | BPF_ABS, 0, 0, BPF_NETWORK_AT + 1}, RETURN_A), 2);
	assert_int_equal(RUN(SET_X(4), {BPF_LD | BPF_B | BPF_IND, 0, 0, 1}, RETURN_A), 0x06);
	assert_int_equal(RUN(SET_X(-1), {BPF_LD | BPF_H | BPF_IND, 0, 0, 1}, RETURN_A), 0x0102);
	assert_int_equal(
		RUN({BPF_LDX | BPF_B | BPF_MSH, 0, 0, 4}, {BPF_MISC | BPF_TXA, 0, 0, 0}, RETURN_A),
		20);
	assert_int_equal(RUN({BPF_LD | BPF_LEN, 0, 0, 0}, RETURN_A), sizeof(packet));
	assert_int_equal(RUN({BPF_LDX | BPF_LEN, 0, 0, 0}, {BPF_MISC | BPF_TXA, 0, 0, 0}, RETURN_A),
			 sizeof(packet));
	assert_int_equal(RUN({BPF_RET | BPF_K, 0, 0, 99}), 99);
}

/* Whatever A had. */
static void a_load_beyond_the_packet_ends_with_zero(void **state)
{
	static const uint32_t beyond[] = {
		4, 7, 0x7fffffff, BPF_LINK_AT, BPF_NETWORK_AT + 4, UINT32_MAX / 2};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++)
		assert_int_equal(RUN(SET_A(5), {BPF_LD | BPF_W | BPF_ABS, 0, 0, beyond[i]},
				     {BPF_RET | BPF_K, 0, 0, 9}),
				 0);
	assert_int_equal(RUN(SET_X(-2), {BPF_LD | BPF_B | BPF_IND, 0, 0, 1}, SET_A(1), RETURN_A),
			 0);
	assert_int_equal(RUN({BPF_LDX | BPF_B | BPF_MSH, 0, 0, 7}, SET_A(1), RETURN_A), 0);
}

static void what_is_beside_a_packet(void **state)
{
	(void)state;
	assert_int_equal(RUN(BESIDE(BPF_BESIDE_CPU), RETURN_A), 3);
	assert_int_equal(RUN(BESIDE(BPF_BESIDE_RANDOM), RETURN_A), 4711);
	assert_int_equal(RUN(SET_A(5), BESIDE(BPF_BESIDE_PROTOCOL), RETURN_A), 0);
	assert_int_equal(RUN(SET_A(5), SET_X(3), BESIDE(BPF_BESIDE_XOR), RETURN_A), 6);
	/* It came through no interface. */
	assert_int_equal(RUN(SET_A(5), BESIDE(BPF_BESIDE_INTERFACE), SET_A(6), RETURN_A), 5);
	for (uint32_t what = 0; what < BPF_BESIDE_END; what += 4)
		GOOD(BESIDE(what), RETURN_A);
	BAD(BESIDE(BPF_BESIDE_END), RETURN_A);
	BAD(BESIDE(2), RETURN_A);
}

static uint32_t find(const void *bytes, size_t len_bytes, uint32_t what, uint32_t a, uint32_t x)
{
	const struct abi_filter_instruction program[] = {SET_A(a), SET_X(x), BESIDE(what),
							 RETURN_A};
	uint8_t *copy = malloc(len_bytes);
	struct bpf_input input = {copy, (uint32_t)len_bytes, BPF_OF_PACKETS, beside};
	uint32_t result;

	memcpy(copy, bytes, len_bytes);
	result = bpf_run(program, &input);
	free(copy);
	return result;
}

static void attributes_of_netlink(void **state)
{
	static const uint16_t flat[] = {6, 7, 0, 0, 4, 8 | 0x8000, 4, 9};
	static const uint16_t nested[] = {12, 1, 4, 5, 4, 6};
	static const uint16_t broken[] = {3, 1, 4, 5, 99, 6};

	(void)state;
	assert_int_equal(find(flat, sizeof(flat), BPF_BESIDE_ATTRIBUTE, 0, 8), 8);
	assert_int_equal(find(flat, sizeof(flat), BPF_BESIDE_ATTRIBUTE, 8, 9), 12);
	assert_int_equal(find(flat, sizeof(flat), BPF_BESIDE_ATTRIBUTE, 0, 10), 0);
	assert_int_equal(find(flat, sizeof(flat), BPF_BESIDE_ATTRIBUTE, 13, 9), 0);
	assert_int_equal(find(flat, sizeof(flat), BPF_BESIDE_ATTRIBUTE, 99, 9), 0);
	assert_int_equal(find(nested, sizeof(nested), BPF_BESIDE_NESTED, 0, 6), 8);
	assert_int_equal(find(nested, sizeof(nested), BPF_BESIDE_NESTED, 4, 6), 0);
	assert_int_equal(find(nested, sizeof(nested), BPF_BESIDE_NESTED, 9, 6), 0);
	assert_int_equal(find(nested, sizeof(nested), BPF_BESIDE_NESTED, 99, 6), 0);
	assert_int_equal(find(broken, sizeof(broken), BPF_BESIDE_ATTRIBUTE, 0, 5), 0);
	assert_int_equal(find(broken, sizeof(broken), BPF_BESIDE_ATTRIBUTE, 8, 6), 0);
	assert_int_equal(find(broken, sizeof(broken), BPF_BESIDE_NESTED, 0, 5), 0);
}

/* `A op by`, by a constant and by X. */
static void calculate(unsigned op, uint32_t a, uint32_t by, uint32_t wanted)
{
	assert_int_equal(RUN(SET_A(a), {BPF_ALU | op | BPF_K, 0, 0, by}, RETURN_A), wanted);
	assert_int_equal(RUN(SET_A(a), SET_X(by), {BPF_ALU | op | BPF_X, 0, 0, 0}, RETURN_A),
			 wanted);
}

static void calculations(void **state)
{
	(void)state;
	calculate(BPF_ADD, UINT32_MAX, 3, 2);
	calculate(BPF_SUB, 1, 3, UINT32_MAX - 1);
	calculate(BPF_MUL, 0x10001, 0x10001, 0x20001);
	calculate(BPF_DIV, UINT32_MAX, 2, INT32_MAX);
	calculate(BPF_MOD, UINT32_MAX, 10, 5);
	calculate(BPF_OR, 5, 6, 7);
	calculate(BPF_AND, 5, 6, 4);
	calculate(BPF_XOR, 5, 6, 3);
	calculate(BPF_LSH, 3, 31, 0x80000000);
	calculate(BPF_RSH, 0x80000000, 31, 1);
	assert_int_equal(RUN(SET_A(1), {BPF_ALU | BPF_NEG, 0, 0, 0}, RETURN_A), UINT32_MAX);
	assert_int_equal(RUN(SET_A(8), SET_X(33), {BPF_ALU | BPF_RSH | BPF_X, 0, 0, 0}, RETURN_A),
			 4);
	assert_int_equal(
		RUN(SET_A(8), SET_X(0), {BPF_ALU | BPF_DIV | BPF_X, 0, 0, 0}, SET_A(1), RETURN_A),
		0);
	assert_int_equal(
		RUN(SET_A(8), SET_X(0), {BPF_ALU | BPF_MOD | BPF_X, 0, 0, 0}, SET_A(1), RETURN_A),
		0);
	BAD({BPF_ALU | BPF_DIV, 0, 0, 0}, RETURN_A);
	BAD({BPF_ALU | BPF_MOD, 0, 0, 0}, RETURN_A);
	BAD({BPF_ALU | BPF_LSH, 0, 0, 32}, RETURN_A);
	BAD({BPF_ALU | BPF_RSH, 0, 0, 32}, RETURN_A);
}

static void jump(unsigned op, uint32_t a, uint32_t by, bool holds)
{
	assert_int_equal(
		RUN(SET_A(a), {BPF_JMP | op, 1, 0, by}, {BPF_RET, 0, 0, 0}, {BPF_RET, 0, 0, 1}),
		holds);
	assert_int_equal(RUN(SET_A(a), SET_X(by), {BPF_JMP | op | BPF_X, 0, 1, 0},
			     {BPF_RET, 0, 0, 1}, {BPF_RET, 0, 0, 0}),
			 holds);
}

static void jumps(void **state)
{
	(void)state;
	jump(BPF_JEQ, 5, 5, true);
	jump(BPF_JEQ, 5, 6, false);
	jump(BPF_JGT, 0x80000000, 1, true);
	jump(BPF_JGT, 5, 5, false);
	jump(BPF_JGE, 5, 5, true);
	jump(BPF_JGE, 4, 5, false);
	jump(BPF_JSET, 6, 2, true);
	jump(BPF_JSET, 5, 2, false);
	assert_int_equal(RUN({BPF_JMP | BPF_JA, 0, 0, 1}, {BPF_RET, 0, 0, 1}, {BPF_RET, 0, 0, 2}),
			 2);
	BAD({BPF_JMP | BPF_JA, 0, 0, 1}, RETURN_A);
	BAD({BPF_JMP | BPF_JA, 0, 0, UINT32_MAX}, RETURN_A);
	BAD({BPF_JMP | BPF_JEQ, 1, 0, 0}, RETURN_A);
	BAD({BPF_JMP | BPF_JEQ, 0, 1, 0}, RETURN_A);
	BAD({BPF_JMP | BPF_JA, 0, 0, 0}); /* nothing follows */
}

static void memory_is_read_after_it_is_written(void **state)
{
	(void)state;
	assert_int_equal(
		RUN(SET_A(7), {BPF_ST, 0, 0, 15}, SET_A(0), {BPF_LD | BPF_MEM, 0, 0, 15}, RETURN_A),
		7);
	assert_int_equal(RUN(SET_X(7), {BPF_STX, 0, 0, 0}, {BPF_LDX | BPF_MEM, 0, 0, 0},
			     {BPF_MISC | BPF_TXA, 0, 0, 0}, RETURN_A),
			 7);
	BAD({BPF_LD | BPF_MEM, 0, 0, 0}, RETURN_A);
	BAD({BPF_LDX | BPF_MEM, 0, 0, 0}, RETURN_A);
	BAD({BPF_ST, 0, 0, 16}, RETURN_A);
	BAD({BPF_STX, 0, 0, 16}, RETURN_A);
	BAD({BPF_ST, 0, 0, 0}, {BPF_LD | BPF_MEM, 0, 0, 16}, RETURN_A);
	/* On one of two ways only. */
	BAD({BPF_JMP | BPF_JEQ, 1, 0, 0}, {BPF_ST, 0, 0, 0}, {BPF_LD | BPF_MEM, 0, 0, 0}, RETURN_A);
	BAD({BPF_JMP | BPF_JA, 0, 0, 1}, {BPF_ST, 0, 0, 0}, {BPF_LD | BPF_MEM, 0, 0, 0}, RETURN_A);
	GOOD({BPF_JMP | BPF_JEQ, 1, 0, 0}, {BPF_ST, 0, 0, 0}, {BPF_ST, 0, 0, 0},
	     {BPF_LD | BPF_MEM, 0, 0, 0}, RETURN_A);
	GOOD({BPF_ST, 0, 0, 0}, {BPF_JMP | BPF_JEQ, 0, 0, 0}, {BPF_LD | BPF_MEM, 0, 0, 0},
	     RETURN_A);
}

static void what_is_no_instruction_is_refused(void **state)
{
	unsigned nknown = 0;

	(void)state;
	for (unsigned code = 0; code <= UINT16_MAX; code++)
		nknown += CHECK(BPF_OF_PACKETS, {BPF_ST, 0, 0, 1}, {(uint16_t)code, 0, 0, 1},
				{BPF_RET, 0, 0, 0}, RETURN_A) == 0;
	assert_int_equal(nknown, 49); /* as Linux has */
	BAD({0xffff, 0, 0, 0}, RETURN_A);
	BAD({BPF_RET | BPF_X, 0, 0, 0}, RETURN_A);
	BAD({BPF_LD | BPF_MSH | BPF_B, 0, 0, 0}, RETURN_A);
	BAD(SET_A(0)); /* no end */
	assert_int_equal(bpf_check(NULL, 0, BPF_OF_PACKETS, 0, NULL), -EINVAL);
	assert_int_equal(bpf_check(NULL, BPF_INSTRUCTIONS_MAX + 1, BPF_OF_PACKETS, 0, NULL),
			 -EINVAL);
}

static void filters_of_calls_load_aligned_words(void **state)
{
	const struct abi_filter_instruction program[] = {{BPF_LD | BPF_ABS, 0, 0, 60}, RETURN_A};
	uint32_t call[CALL_BYTES / 4] = {[15] = 0x01020304};
	struct bpf_input input = {(const uint8_t *)call, CALL_BYTES, BPF_OF_CALLS, NULL};

	(void)state;
	assert_int_equal(check(program, 2, BPF_OF_CALLS), 0);
	assert_int_equal(bpf_run(program, &input), 0x01020304);
	assert_int_equal(CHECK(BPF_OF_CALLS, {BPF_LD | BPF_LEN, 0, 0, 0}, RETURN_A), 0);
	assert_int_equal(CHECK(BPF_OF_CALLS, {BPF_LDX | BPF_LEN, 0, 0, 0}, RETURN_A), 0);
	assert_int_equal(CHECK(BPF_OF_CALLS, {BPF_LD | BPF_ABS, 0, 0, 64}, RETURN_A), -EINVAL);
	assert_int_equal(CHECK(BPF_OF_CALLS, {BPF_LD | BPF_ABS, 0, 0, 2}, RETURN_A), -EINVAL);
	assert_int_equal(CHECK(BPF_OF_CALLS, {BPF_LD | BPF_H | BPF_ABS, 0, 0, 0}, RETURN_A),
			 -EINVAL);
	assert_int_equal(CHECK(BPF_OF_CALLS, {BPF_LD | BPF_IND, 0, 0, 0}, RETURN_A), -EINVAL);
	assert_int_equal(CHECK(BPF_OF_CALLS, {BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0}, RETURN_A),
			 -EINVAL);
	assert_int_equal(CHECK(BPF_OF_CALLS, BESIDE(0), RETURN_A), -EINVAL);
	assert_int_equal(CHECK(BPF_OF_CALLS, {BPF_ALU | BPF_MOD, 0, 0, 1}, RETURN_A), -EINVAL);
	assert_int_equal(CHECK(BPF_OF_CALLS, {BPF_ALU | BPF_DIV, 0, 0, 1}, RETURN_A), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads),
		cmocka_unit_test(a_load_beyond_the_packet_ends_with_zero),
		cmocka_unit_test(what_is_beside_a_packet),
		cmocka_unit_test(attributes_of_netlink),
		cmocka_unit_test(calculations),
		cmocka_unit_test(jumps),
		cmocka_unit_test(memory_is_read_after_it_is_written),
		cmocka_unit_test(what_is_no_instruction_is_refused),
		cmocka_unit_test(filters_of_calls_load_aligned_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
