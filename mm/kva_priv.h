/*
 * What mm/init.c knows of kva.c.
 */
#ifndef MM_KVA_PRIV_H
#define MM_KVA_PRIV_H

/* No stacks in stock for the calling CPU. */
void kva_init_cpu(void);
/* Those that it has go back. */
void kva_drain_cpu(void);

#endif
