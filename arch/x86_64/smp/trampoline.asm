; The first instructions of every CPU but the first: from real mode, where the start-up interrupt leaves it, to 64-bit
; code in the kernel's own page tables. arch/x86_64/smp/bring_up.c copies this to a page below 1 MiB, maps that page at
; its own address for the time being (readable, executable), and fills in the block at its end.
;
; The code knows no address but its own page's, in ebx. It writes to the page only while paging is off.

; PG, WP, NE, ET, MP, PE; INIT leaves the caches off (CD, NW), and this switches them on.
%define CR0_START	0x80010033
%define CR4_PAE		(1 << 5)
%define MSR_EFER	0xc0000080

%define CODE32		0x08
%define DATA32		0x10
%define CODE64		0x18

%define AT(label)	((label) - trampoline_start)

section .rodata.trampoline progbits alloc noexec nowrite align=16

global trampoline_start:data hidden
global trampoline_block:data hidden
global trampoline_end:data hidden

bits 16
trampoline_start:
	cli
	cld
	mov	ax, cs			; the page's number * 256
	mov	ds, ax
	movzx	ebx, ax
	shl	ebx, 4

	; Wanted? One that was given up and comes late finds that nobody waits for it.
	xor	eax, eax
	xchg	[AT(block.offered)], eax
	test	eax, eax
	jz	.stop

	lea	eax, [ebx + AT(gdt)]
	mov	[AT(gdt_pointer) + 2], eax
	lea	eax, [ebx + AT(protected_mode)]
	mov	[AT(far_protected)], eax
	lea	eax, [ebx + AT(long_mode)]
	mov	[AT(far_long)], eax
	o32 lgdt [AT(gdt_pointer)]
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	jmp	dword far [AT(far_protected)]
.stop:
	hlt
	jmp	.stop

bits 32
protected_mode:
	mov	ax, DATA32
	mov	ds, ax
	mov	ss, ax
	mov	eax, CR4_PAE
	mov	cr4, eax
	mov	eax, [ebx + AT(block.cr3)]
	mov	cr3, eax
	mov	ecx, MSR_EFER
	rdmsr
	or	eax, [ebx + AT(block.efer)]
	wrmsr
	mov	eax, CR0_START
	mov	cr0, eax
	jmp	far [ebx + AT(far_long)]

bits 64
long_mode:
	xor	eax, eax
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	fs, eax
	mov	gs, eax
	mov	ebx, ebx		; the upper half is undefined after the switch (SDM 3A 9.8.5.4)
	mov	rsp, [rbx + AT(block.stack)]
	mov	rdi, [rbx + AT(block.cpu)]
	mov	rax, [rbx + AT(block.entry)]
	xor	ebp, ebp		; the end of every backtrace
	push	rbp			; as if called: no return address
	jmp	rax

align 8
gdt:
	dq	0
	dq	0x00cf9b000000ffff	; code, 32-bit; accessed already, so that nothing is written here
	dq	0x00cf93000000ffff	; data
	dq	0x00af9b000000ffff	; code, 64-bit
gdt_pointer:
	dw	$ - gdt - 1
	dd	0
align 4
far_protected:
	dd	0
	dw	CODE32
align 4
far_long:
	dd	0
	dw	CODE64

; struct trampoline_block of bring_up.c
align 8
trampoline_block:
block:
.offered:
	dd	0
.cr3:
	dd	0
.efer:
	dq	0
.stack:
	dq	0
.cpu:
	dq	0
.entry:
	dq	0
trampoline_end:
