/*
 * personality(2), as Linux has it: what is of consequence.
 */
#ifndef ABI_PERSONALITY_H
#define ABI_PERSONALITY_H

#define PERSONALITY_ASK   0xffffffffu /* changes nothing */
#define UNAME26           0x0020000u  /* uname() says 2.6 */
#define ADDR_NO_RANDOMIZE 0x0040000u  /* programs begin at the same places each time */
#define READ_IMPLIES_EXEC 0x0400000u  /* what can be read can be executed; ends with exec */
#define STICKY_TIMEOUTS   0x4000000u  /* select() and its like do not tell what was left */
#define PER_MASK          0xffu
#define PER_LINUX32       0x08u /* uname() says i686 */

#endif
