/*
 * personality(2), as Linux has it.
 */
#ifndef ABI_PERSONALITY_H
#define ABI_PERSONALITY_H

#define PERSONALITY_ASK   0xffffffffu /* changes nothing */
#define ADDR_NO_RANDOMIZE 0x0040000u  /* programs begin at the same places each time */

#endif
