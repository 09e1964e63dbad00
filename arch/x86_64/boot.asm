; The first instructions: from 32-bit protected mode, where PVH and multiboot2 loaders leave us, to 64-bit code at the
; kernel's own addresses.
;
; The code runs at its physical address although it is linked high: it finds its base by call/pop and adds offsets
; (P(symbol)). It writes nothing below 1 MiB, where the loader's structures lie, and nothing but the kernel's own bss.
; The tables made here map the first 4 GiB as they are; arch/x86_64/layout.c, which runs in that view, chooses where the
; kernel's areas will be and maps image and direct map there, all writable and executable. arch/x86_64/paging_init.c
; replaces them by the real ones.

%define KERNEL_BASE	0xffffffff80000000
%define PHYSICAL_START	0x100000

%define CR0_PE		(1 << 0)
%define CR0_WP		(1 << 16)
%define CR0_PG		(1 << 31)
%define CR4_PAE		(1 << 5)
%define MSR_EFER	0xc0000080
%define EFER_SCE	(1 << 0)
%define EFER_LME	(1 << 8)
%define EFER_NXE	(1 << 11)

%define BOOT_PVH	0
%define BOOT_MULTIBOOT2	1

; Physical address of a place in this section; ebp holds the section's own (the linker puts it first).
%define P(label)	ebp + ((label) - boot_base)

; early_tables in bss, one block: offsets from its start. What lies between is layout.c's.
%define EARLY_PML4		0
%define EARLY_PDPT		0x1000
%define EARLY_DIRECTORIES	0x2000	; four pages
%ifdef FUSELAGE_KASAN
%define EARLY_IMAGE_TABLES	9	; layout.c says why
%else
%define EARLY_IMAGE_TABLES	5
%endif
%define EARLY_START_CYCLES	(0x9000 + EARLY_IMAGE_TABLES * 0x1000)
%define EARLY_STACK_TOP		(EARLY_START_CYCLES + 0x1000)
%define EARLY_BYTES		EARLY_STACK_TOP

extern boot_stack_top
extern kernel_rela_start
extern kernel_rela_end
extern arch_start
extern layout_choose

section .bss align=4096
global early_tables:data hidden
early_tables:
	resb	EARLY_BYTES

section .boot progbits alloc exec nowrite align=4096
boot_base:

; ---- multiboot2 header (multiboot2 specification 3.1) ----
multiboot2_header:
	dd	0xe85250d6		; magic
	dd	0			; architecture: i386 protected mode
	dd	multiboot2_end - multiboot2_header
	dd	0x100000000 - (0xe85250d6 + 0 + (multiboot2_end - multiboot2_header))
	align	8
	dw	6, 0			; modules start at page boundaries
	dd	8
	align	8
	dw	5, 1			; a framebuffer would be good (optional), of any size, 32 bits a pixel
	dd	20
	dd	0, 0, 32
	align	8
	dw	4, 1			; a console: none is required, EGA text will do
	dd	12
	dd	2
	align	8
	dw	0, 0			; end of tags
	dd	8
multiboot2_end:

bits 32

global boot_pvh:function hidden
global boot_multiboot2:function hidden

boot_pvh:
	mov	edi, BOOT_PVH
	jmp	boot_common

boot_multiboot2:
	mov	edi, BOOT_MULTIBOOT2
	cmp	eax, 0x36d76289
	je	boot_common
	mov	edi, 0xff		; neither: reported once a console is there

boot_common:
	cli
	cld
	mov	esi, ebx		; the loader's structure
	rdtsc
	mov	ebx, eax
	mov	ecx, edx		; start time, kept in ecx:ebx until it can be stored

	; The file says where it is loaded (AT() in kernel.ld), and neither kind of loader moves it.
	mov	ebp, PHYSICAL_START
	mov	edx, [P(early_tables_distance)]
	lea	edx, [edx + P(early_tables_distance)]	; edx: early_tables' physical address
	lea	esp, [edx + EARLY_STACK_TOP]
	mov	[edx + EARLY_START_CYCLES], ebx
	mov	[edx + EARLY_START_CYCLES + 4], ecx

	; Long mode? (SDM 3A 9.8.5; CPUID leaves 0x80000000 and 0x80000001)
	pushfd
	pop	eax
	mov	ecx, eax
	xor	eax, 1 << 21		; CPUID exists if EFLAGS.ID can be changed
	push	eax
	popfd
	pushfd
	pop	eax
	cmp	eax, ecx
	je	no_long_mode
	mov	eax, 0x80000000
	cpuid
	cmp	eax, 0x80000001
	jb	no_long_mode
	mov	eax, 0x80000001
	cpuid
	bt	edx, 29
	jnc	no_long_mode
	xor	ebx, ebx
	bt	edx, 20
	jnc	.no_nx
	mov	ebx, EFER_NXE
.no_nx:
	mov	edx, [P(early_tables_distance)]
	lea	edx, [edx + P(early_tables_distance)]

	; ---- page tables: four page directories of 2 MiB pages for 4 GiB ----
	lea	ecx, [edx + EARLY_DIRECTORIES]
	mov	eax, 0x83		; present, writable, large
.fill:
	mov	[ecx], eax
	add	ecx, 8
	add	eax, 0x200000
	jnc	.fill			; 2048 entries: the address wraps at 4 GiB

	lea	eax, [edx + EARLY_DIRECTORIES + 3]
	mov	[edx + EARLY_PDPT], eax
	add	eax, 0x1000
	mov	[edx + EARLY_PDPT + 8], eax
	add	eax, 0x1000
	mov	[edx + EARLY_PDPT + 16], eax
	add	eax, 0x1000
	mov	[edx + EARLY_PDPT + 24], eax

	lea	eax, [edx + EARLY_PDPT + 3]
	mov	[edx + EARLY_PML4], eax
	mov	cr3, edx

	mov	eax, cr4
	or	eax, CR4_PAE
	mov	cr4, eax
	mov	ecx, MSR_EFER
	rdmsr
	or	eax, EFER_SCE | EFER_LME
	or	eax, ebx
	wrmsr
	mov	eax, cr0
	or	eax, CR0_PG | CR0_WP | CR0_PE
	mov	cr0, eax

	; A GDT with a 64-bit code segment; the descriptor is written here, since its address is known only now.
	lea	eax, [P(early_gdt)]
	mov	[P(early_gdt_pointer) + 2], eax
	lgdt	[P(early_gdt_pointer)]
	lea	eax, [P(boot_long)]
	push	dword 8
	push	eax
	retf

no_long_mode:
	lea	esi, [P(no_long_mode_text)]
	mov	edi, 0xb8000		; VGA text, where there is one
.next:
	lodsb
	test	al, al
	jz	.halt
	mov	ah, 0x4f		; white on red
	cmp	al, 10
	je	.serial
	mov	[edi], ax
	add	edi, 2
.serial:
	mov	ah, al
	mov	ecx, 100000		; bounded: there may be no port
.wait:
	mov	dx, 0x3fd
	in	al, dx
	test	al, 0x20
	jnz	.send
	dec	ecx
	jnz	.wait
.send:
	mov	al, ah
	mov	dx, 0x3f8
	out	dx, al
	jmp	.next
.halt:
	cli
	hlt
	jmp	.halt

no_long_mode_text:
	db	"Fuselage needs a 64-bit processor (x86-64 long mode); this one has none. Halted.", 10, 0

bits 64
boot_long:
	xor	eax, eax
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	fs, eax
	mov	gs, eax
	mov	ebp, ebp		; the upper halves are undefined after the switch (SDM 3A 9.8.5.4)
	mov	edi, edi
	mov	esi, esi
	; Where to? By its physical address, as is all that it uses: nothing is relocated yet.
	lea	rsp, [rel boot_stack_top]
	push	rdi
	push	rsi
	call	layout_choose		; (edi: loader, rsi: its structure's physical address)
	pop	rsi
	pop	rdi
	mov	r12, rax
	; From here on at the linked address plus r12.
	mov	rax, KERNEL_BASE
	lea	rax, [rax + rbp + (boot_high - boot_base)]
	add	rax, r12
	jmp	rax

boot_high:
	lea	rsp, [rel boot_stack_top]
	; ---- relocations: Elf64_Rela, all of type R_X86_64_RELATIVE (checked at build) ----
	; The links are absolute values of the linked image; r12 is what the image was moved by.
	lea	rbx, [rel kernel_rela_start]
	lea	rcx, [rel kernel_rela_end]
.relocate:
	cmp	rbx, rcx
	jae	.relocated
	mov	rax, [rbx]		; r_offset
	mov	rdx, [rbx + 16]		; r_addend
	add	rdx, r12
	mov	[rax + r12], rdx
	add	rbx, 24
	jmp	.relocate
.relocated:
	xor	ebp, ebp		; the end of every backtrace
	call	arch_start		; (edi: loader, rsi: its structure's physical address)
	ud2

align 8
early_gdt:
	dq	0
	dq	0x00af9a000000ffff	; code, 64-bit, ring 0
	dq	0x00cf92000000ffff	; data
early_gdt_pointer:
	dw	$ - early_gdt - 1
	dd	0
early_tables_distance:
	dd	early_tables - $	; the only form that a position-independent link has for it
