/* sources: lib/lockorder.c lib/fmt.c lib/string.c */
/*
 * The lock-order checker: what it lets pass, what it refuses, and what its report says.
 */
#include <lib/lockorder.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/fmt.h>
#include <lib/panic.h>

#include <cmocka.h>

static jmp_buf panicked;
static char reason[1024];

noreturn void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	kernel_format_list(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	longjmp(panicked, 1);
}

static int locks[LOCKORDER_MAX + 1];

static enum lockorder_fault take(struct lockorder_stack *stack, int lock, enum lock_class class)
{
	return lockorder_acquire(stack, &locks[lock], class, 0, false);
}

static void classes_in_their_order_pass(void **state)
{
	struct lockorder_stack stack = {.nheld = 0};

	(void)state;
	assert_int_equal(take(&stack, 0, LOCK_PROCESS), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 1, LOCK_NODE), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 2, LOCK_SPACE), LOCKORDER_FINE);
	assert_int_equal(stack.nheld, 3);
}

static void a_later_class_held_is_an_inversion(void **state)
{
	struct lockorder_stack stack = {.nheld = 0};

	(void)state;
	assert_int_equal(take(&stack, 0, LOCK_RUNQ), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 1, LOCK_FRAME), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 2, LOCK_WAITQ), LOCKORDER_INVERTED);
	assert_int_equal(stack.nheld, 2); /* what is refused is not pushed */
	/* Not only the last one counts: with the frame lock gone, the run queue's is in the way. */
	assert_int_equal(lockorder_release(&stack, &locks[1]), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 2, LOCK_WAITQ), LOCKORDER_INVERTED);
}

static void two_of_one_class_pass_only_with_an_inner_order(void **state)
{
	struct lockorder_stack stack = {.nheld = 0};

	(void)state;
	assert_int_equal(take(&stack, 0, LOCK_DIRECTORY), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 1, LOCK_DIRECTORY), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 2, LOCK_NODE), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 3, LOCK_NODE), LOCKORDER_SAME_CLASS);
}

static void the_same_lock_twice_is_refused_even_as_a_try(void **state)
{
	struct lockorder_stack stack = {.nheld = 0};

	(void)state;
	assert_int_equal(take(&stack, 0, LOCK_DIRECTORY), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 0, LOCK_DIRECTORY), LOCKORDER_RECURSIVE);
	assert_int_equal(lockorder_acquire(&stack, &locks[0], LOCK_DIRECTORY, 0, true),
			 LOCKORDER_RECURSIVE);
	assert_int_equal(lockorder_acquire(&stack, &locks[0], LOCK_DIRECTORY, 1, false),
			 LOCKORDER_RECURSIVE);
}

static void a_try_may_go_against_the_order(void **state)
{
	struct lockorder_stack stack = {.nheld = 0};

	(void)state;
	assert_int_equal(take(&stack, 0, LOCK_FRAME), LOCKORDER_FINE);
	assert_int_equal(lockorder_acquire(&stack, &locks[1], LOCK_WAITQ, 0, true), LOCKORDER_FINE);
	/* But what is taken under it by waiting is checked against all. */
	assert_int_equal(take(&stack, 2, LOCK_RUNQ), LOCKORDER_INVERTED);
}

static void an_interrupt_starts_anew(void **state)
{
	struct lockorder_stack stack = {.nheld = 0};

	(void)state;
	assert_int_equal(take(&stack, 0, LOCK_FRAME), LOCKORDER_FINE);
	assert_int_equal(lockorder_acquire(&stack, &locks[1], LOCK_WAITQ, 1, false),
			 LOCKORDER_FINE);
	assert_int_equal(lockorder_acquire(&stack, &locks[2], LOCK_DEVICE, 1, false),
			 LOCKORDER_INVERTED);
	assert_int_equal(lockorder_release(&stack, &locks[1]), LOCKORDER_FINE);
	assert_int_equal(lockorder_release(&stack, &locks[0]), LOCKORDER_FINE);
	assert_int_equal(stack.nheld, 0);
}

static void locks_may_be_released_in_any_order_but_only_once(void **state)
{
	struct lockorder_stack stack = {.nheld = 0};

	(void)state;
	assert_int_equal(take(&stack, 0, LOCK_FILE), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 1, LOCK_NODE), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 2, LOCK_SPACE), LOCKORDER_FINE);
	assert_int_equal(lockorder_release(&stack, &locks[0]), LOCKORDER_FINE);
	assert_int_equal(lockorder_release(&stack, &locks[0]), LOCKORDER_NOT_HELD);
	assert_ptr_equal(stack.held[0].lock, &locks[1]);
	assert_ptr_equal(stack.held[1].lock, &locks[2]);
	assert_int_equal(lockorder_release(&stack, &locks[2]), LOCKORDER_FINE);
	assert_int_equal(lockorder_release(&stack, &locks[1]), LOCKORDER_FINE);
}

static void too_many_are_refused(void **state)
{
	struct lockorder_stack stack = {.nheld = 0};

	(void)state;
	for (int i = 0; i < LOCKORDER_MAX; i++)
		assert_int_equal(take(&stack, i, LOCK_DIRECTORY), LOCKORDER_FINE);
	assert_int_equal(take(&stack, LOCKORDER_MAX, LOCK_DIRECTORY), LOCKORDER_TOO_MANY);
}

static void a_class_of_interrupts_must_not_be_taken_with_them_on(void **state)
{
	struct lockorder_usage usage = {.in_interrupt = {false}};

	(void)state;
	assert_int_equal(lockorder_use(&usage, LOCK_SLAB, false, true), LOCKORDER_FINE);
	assert_int_equal(lockorder_use(&usage, LOCK_DEVICE, true, false), LOCKORDER_FINE);
	assert_int_equal(lockorder_use(&usage, LOCK_DEVICE, false, false), LOCKORDER_FINE);
	assert_int_equal(lockorder_use(&usage, LOCK_DEVICE, false, true), LOCKORDER_INTERRUPTIBLE);
	assert_int_equal(lockorder_use(&usage, LOCK_SLAB, true, false), LOCKORDER_INTERRUPTIBLE);
}

static void every_class_has_a_name(void **state)
{
	(void)state;
	for (int class = 0; class < LOCK_CLASSES; class ++)
		assert_string_not_equal(lockclass_name((enum lock_class) class), "nameless");
	assert_string_equal(lockclass_name(LOCK_CLASSES), "nameless");
}

static void the_report_names_both_classes(void **state)
{
	struct lockorder_stack stack = {.nheld = 0};

	(void)state;
	assert_int_equal(take(&stack, 0, LOCK_SPACE), LOCKORDER_FINE);
	assert_int_equal(take(&stack, 1, LOCK_OBJECT), LOCKORDER_FINE);
	if (setjmp(panicked) == 0)
		lockorder_report(LOCKORDER_INVERTED, &stack, &locks[2], LOCK_NODE);
	assert_non_null(strstr(reason, "node ("));
	assert_non_null(strstr(reason, "is taken too late"));
	assert_non_null(strstr(reason, "held: space ("));
	assert_non_null(strstr(reason, ", object ("));
}

static void the_report_of_a_full_stack_fits(void **state)
{
	struct lockorder_stack stack = {.nheld = 0};

	(void)state;
	for (int i = 0; i < LOCKORDER_MAX; i++)
		assert_int_equal(take(&stack, i, LOCK_DIRECTORY), LOCKORDER_FINE);
	if (setjmp(panicked) == 0)
		lockorder_report(LOCKORDER_TOO_MANY, &stack, &locks[12], LOCK_DIRECTORY);
	assert_non_null(strstr(reason, "one lock too many"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_in_their_order_pass),
		cmocka_unit_test(a_later_class_held_is_an_inversion),
		cmocka_unit_test(two_of_one_class_pass_only_with_an_inner_order),
		cmocka_unit_test(the_same_lock_twice_is_refused_even_as_a_try),
		cmocka_unit_test(a_try_may_go_against_the_order),
		cmocka_unit_test(an_interrupt_starts_anew),
		cmocka_unit_test(locks_may_be_released_in_any_order_but_only_once),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(a_class_of_interrupts_must_not_be_taken_with_them_on),
		cmocka_unit_test(every_class_has_a_name),
		cmocka_unit_test(the_report_names_both_classes),
		cmocka_unit_test(the_report_of_a_full_stack_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
