/*
 * The tests of startup.c in a program that is loaded at an address of the kernel's choice.
 */
#include "startup.c"
