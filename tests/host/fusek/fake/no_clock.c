/*
 * Of fusek without drivers: nothing happens by the clock.
 */
#include "by_clock.h"

void by_clock_wake(void)
{
}
