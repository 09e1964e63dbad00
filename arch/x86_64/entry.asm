; The ways into the kernel and back: 256 vectors, the system call, the first step into user mode, the switch between two
; threads.
;
; All of them leave one picture on the kernel stack, struct trap_frame (arch/trap.h), lowest address first:
;
;	r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi | vector error_code | rip cs rflags rsp ss
;
; GS: in the kernel its base is this CPU's struct cpu. Vectors that can strike between a user entry and its swapgs (NMI,
; #DB, #DF, #MC) look at the base itself when they come from the kernel; all others go by the saved CS.

%include "entry.inc"

bits 64
default rel

extern trap_dispatch
extern syscall_dispatch
extern user_exit_slow

section .text.entry progbits alloc exec nowrite align=16

%macro PUSH_REGISTERS 0
	push	rdi
	push	rsi
	push	rdx
	push	rcx
	push	rax
	push	r8
	push	r9
	push	r10
	push	r11
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
%endmacro

%macro POP_REGISTERS 0
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	pop	r11
	pop	r10
	pop	r9
	pop	r8
	pop	rax
	pop	rcx
	pop	rdx
	pop	rsi
	pop	rdi
%endmacro

; ---- 256 stubs of 16 bytes each, from trap_stubs on ----

align 16
global trap_stubs:function hidden
trap_stubs:
%assign vector 0
%rep 256
	align	16
	; SDM 3A, table 6-1: these push an error code themselves.
	%if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
	%else
	push	0
	%endif
	push	vector
	%if vector == 1 || vector == 2 || vector == 8 || vector == 18
	jmp	trap_paranoid
	%else
	jmp	trap_common
	%endif
%assign vector vector + 1
%endrep
	align	16

trap_common:
	PUSH_REGISTERS
	cld
	SMAP_SITE SMAP_CLAC
	test	byte [rsp + FRAME_CS], 3
	jz	.from_kernel
	swapgs
	xor	ebp, ebp		; a backtrace ends here
	mov	rdi, rsp
	call	trap_dispatch
	jmp	return_to_user
.from_kernel:
	mov	rdi, rsp
	call	trap_dispatch
	POP_REGISTERS
	add	rsp, 16			; vector, error code
	iretq

; On a stack of its own (IST), whose topmost word is this CPU's struct cpu (descriptors.c).
;
; From a program the saved CS says it for sure: GS is the program's, and what it holds must not be looked at, since a
; program with FSGSBASE can put anything there. The frame moves to the thread's own stack, so that the handler may be
; preempted and leaves by return_to_user like any other.
;
; From the kernel only the few instructions around a swapgs are in doubt. GS_BASE is compared with the word on the
; stack; r15 keeps whether swapgs is owed: trap_dispatch() preserves it.
trap_paranoid:
	PUSH_REGISTERS
	cld
	SMAP_SITE SMAP_CLAC
	test	byte [rsp + FRAME_CS], 3
	jz	.from_kernel
	swapgs
	mov	rsi, rsp
	mov	rdi, [gs:CPU_KERNEL_STACK_TOP]
	sub	rdi, FRAME_WORDS * 8
	mov	rdx, rdi
	mov	ecx, FRAME_WORDS
	rep	movsq
	mov	rsp, rdx
	xor	ebp, ebp
	mov	rdi, rsp
	call	trap_dispatch
	jmp	return_to_user
.from_kernel:
	xor	r15d, r15d
	mov	ecx, MSR_GS_BASE
	rdmsr
	shl	rdx, 32
	or	rax, rdx
	cmp	rax, [rsp + FRAME_WORDS * 8]
	je	.have_gs
	swapgs
	inc	r15d
.have_gs:
	mov	rdi, rsp
	call	trap_dispatch
	test	r15d, r15d
	jz	.keep_gs
	swapgs
.keep_gs:
	POP_REGISTERS
	add	rsp, 16
	iretq

; rsp: a struct trap_frame of a program; interrupts may be on. One test for anything to do first.
return_to_user:
	cli
	cmp	dword [gs:CPU_PREEMPT_COUNT], 0x80000000
	jne	.slow
.leave:
	POP_REGISTERS
	swapgs
	add	rsp, 16
	iretq
.slow:
	mov	rdi, rsp
	call	user_exit_slow		; returns with interrupts off and nothing left to do
	jmp	.leave

; ---- the system call (SDM 2B, SYSCALL: rcx = rip, r11 = rflags, CS and SS from STAR, RFLAGS masked by FMASK) ----

align 16
global syscall_entry:function hidden
syscall_entry:
	swapgs
	mov	[gs:CPU_USER_SP], rsp
	mov	rsp, [gs:CPU_KERNEL_STACK_TOP]
	push	USER_DS
	push	qword [gs:CPU_USER_SP]
	push	r11
	push	USER_CS
	push	rcx
	push	rax			; error_code: the call's number, kept for tracing and restarts
	push	SYSCALL_VECTOR
	PUSH_REGISTERS
	sti
	xor	ebp, ebp
	mov	rdi, rsp
	call	syscall_dispatch
	cli
	cmp	dword [gs:CPU_PREEMPT_COUNT], 0x80000000
	jne	.slow
.leave:
	; SYSRET with a non-canonical rcx faults in ring 0 with the user's stack (SDM 2B, SYSRET): addresses of
	; programs end below the last page, so a frame that could do it was changed on purpose and takes iret. So does
	; one whose rcx and r11 are not what SYSRET will leave there.
	mov	rcx, [rsp + FRAME_RIP]
	mov	rdx, rcx
	shr	rdx, 47
	jnz	.by_iret
	mov	r11, [rsp + FRAME_RFLAGS]
	cmp	qword [rsp + FRAME_VECTOR], SYSCALL_VECTOR
	jne	.by_iret
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	add	rsp, 8			; r11
	pop	r10
	pop	r9
	pop	r8
	pop	rax
	add	rsp, 8			; rcx
	pop	rdx
	pop	rsi
	pop	rdi
	mov	rsp, [rsp + (FRAME_RSP - FRAME_VECTOR)]
	swapgs
	o64 sysret
.by_iret:
	POP_REGISTERS
	swapgs
	add	rsp, 16
	iretq
.slow:
	mov	rdi, rsp
	call	user_exit_slow
	jmp	.leave

; The frame at the top of this thread's stack has been filled in: into user mode. rdi: the frame.
global context_enter_frame:function hidden
context_enter_frame:
	mov	rsp, rdi
	jmp	return_to_user

; ---- from one thread to another ----

; void context_switch_stacks(struct context *from (rdi), struct context *to (rsi))
; What C expects kept lies on the old stack:	r15 r14 r13 r12 rbx rbp return address
global context_switch_stacks:function hidden
context_switch_stacks:
	push	rbp
	push	rbx
	push	r12
	push	r13
	push	r14
	push	r15
	mov	[rdi + CONTEXT_SP], rsp
	mov	rax, [rsi + CONTEXT_STACK_CANARY]
	mov	rsp, [rsi + CONTEXT_SP]
	mov	[gs:CPU_STACK_CANARY], rax
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbx
	pop	rbp
	ret

; The first return address of a new thread: r12 = entry, r13 = argument (context_init()).
global context_start:function hidden
context_start:
	xor	ebp, ebp
	sti
	mov	rdi, r13
	call	r12
	ud2				; entry functions never return

; Loads the tables and the segments that a CPU runs with; rdi: GDT pointer, esi: TSS selector.
global descriptors_load:function hidden
descriptors_load:
	lgdt	[rdi]
	push	KERNEL_CS
	lea	rax, [.reloaded]
	push	rax
	retfq
.reloaded:
	xor	eax, eax
	mov	ds, eax
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	mov	eax, KERNEL_DS
	mov	ss, eax
	ltr	si
	ret
