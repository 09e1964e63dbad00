; A guest that speaks the exec channel without a kernel: the host side is tested against it.
;
; Owns the whole machine (PVH entry, flat 32-bit mode, polled, no interrupts). The program named by
; exec= on the command line is one of the commands in the table at the end; each plays one thing
; that a real kernel can do. stdin frames are read as the kernel would: 14 bytes at a time while the
; UART says that its FIFO holds as many.

bits 32

%include "fakechannel.inc"

section .note.pvh note alloc noexec nowrite align=4
	dd 4, 4, 18			; name and description sizes, XEN_ELFNOTE_PHYS32_ENTRY
	db "Xen", 0
	dd entry

section .text
global entry
entry:
	cld
	mov esp, stack_top
	mov esi, [ebx + PVH_CMDLINE]
	mov [cmdline], esi
	call decode_exec
	call find_shared

	mov dx, COM2_IIR
	mov al, 0xc7			; FIFOs on and empty, 14 bytes make an interrupt
	out dx, al
	mov dx, COM2_IER
	mov al, 1			; received data shows in IIR; the PIC stays masked
	out dx, al
	mov dx, COM2_MCR
	mov al, 3
	out dx, al

	mov esi, boot_line
	call log

	; find argv[0] in the table of commands
	mov ebp, commands
.next:
	mov esi, [ebp]
	test esi, esi
	jz cmd_missing
	mov edi, argv
.compare:
	lodsb
	scasb
	jne .differs
	test al, al
	jnz .compare
	mov [argument], edi
	jmp [ebp + 4]
.differs:
	add ebp, 8
	jmp .next

; --- commands -----------------------------------------------------------------------------------

; echo: stdin to stdout until its end
cmd_echo:
	call ready
.loop:
	call read_stdin
	jz exit_zero
	mov esi, payload
	mov ebx, RING_STDOUT
	call emit
	jmp .loop

; both: stdin to stdout and to stderr
cmd_both:
	call ready
.loop:
	call read_stdin
	jz exit_zero
	push ecx
	mov esi, payload
	mov ebx, RING_STDOUT
	call emit
	pop ecx
	mov esi, payload
	mov ebx, RING_STDERR
	call emit
	mov esi, boot_line		; log lines must not mix in
	call log
	jmp .loop

; sink: reads all of stdin and forgets it
cmd_sink:
	call ready
.loop:
	call read_stdin
	jz exit_zero
	jmp .loop

; flood N: N times 64 KiB of zeros on stdout
cmd_flood:
	call ready
	call number
	mov ebp, eax
.loop:
	test ebp, ebp
	jz exit_zero
	mov esi, payload
	mov ecx, 65536
	mov ebx, RING_STDOUT
	call emit
	dec ebp
	jmp .loop

; argv: its arguments, each ended by a newline, after a first argument "argv"
cmd_argv:
	call ready
	mov esi, [argument]
	mov dx, STDOUT
.loop:
	cmp esi, [argv_end]
	jae exit_zero
	lodsb
	test al, al
	jnz .put
	mov al, 10
.put:
	out dx, al
	jmp .loop

; cmdline: the kernel's command line
cmd_cmdline:
	call ready
	mov esi, [cmdline]
	mov dx, STDOUT
.loop:
	lodsb
	test al, al
	jz exit_zero
	out dx, al
	jmp .loop

cmd_exit:
	call ready
	call number
	jmp exit_status
exit_zero:
	xor eax, eax
exit_status:
	mov [word_out], eax
	mov al, 'X'
	call status_word
	jmp all_said

cmd_signal:
	call ready
	call number
	mov [word_out], eax
	mov al, 'S'
	call status_word
	jmp all_said

cmd_missing:
	call ready
	mov al, 'N'
	mov esi, missing_text
	mov ecx, missing_text.end - missing_text
	call status_frame
	jmp all_said

cmd_noexec:
	call ready
	mov al, 'A'
	mov esi, noexec_text
	mov ecx, noexec_text.end - noexec_text
	call status_frame
	jmp all_said

; panic: some of the program's output, the kernel's lines, the record; then the machine stands
cmd_panic:
	call ready
	mov esi, panic_log
	call log
	mov al, 'P'
	mov esi, panic_text
	mov ecx, panic_text.end - panic_text
	call status_frame
	jmp stand

; reset: a triple fault, as when a kernel dies without a word
cmd_reset:
	call ready
	lidt [no_idt]
	int3

; hang: answers nothing any more
cmd_hang:
	call ready
cmd_silent:
	mov esi, hang_log
	call log
stand:
	cli
	hlt
	jmp stand

; spin: runs for ever and answers pings
cmd_spin:
	call ready
.loop:
	call read_frame
	jmp .loop

; window: tells each size of the window on COM1, for ever
cmd_window:
	call ready
.loop:
	call read_frame
	cmp byte [header], 'W'
	jne .loop
	mov esi, window_text
	call log
	movzx eax, word [frame]
	call log_number
	movzx eax, word [frame + 2]
	call log_number
	mov esi, line_end
	call log
	jmp .loop

; archive N: what comes on stdin is the archive of --get; N is the packer's status
cmd_archive:
	call ready
.loop:
	call read_stdin
	jz .end
	mov esi, payload
	mov ebx, RING_ARCHIVE
	call emit
	jmp .loop
.end:
	mov dword [word_out], 3
	mov al, 'X'
	call status_word
	call number
	mov [word_out], eax
	mov al, 'g'
	call status_word
	jmp all_said

; size: prints rows and columns of the first W frame as four bytes
cmd_size:
	call ready
	call read_frame
	cmp byte [header], 'W'
	jne cmd_size
	mov esi, frame
	mov ecx, 4
	mov dx, STDOUT
	rep outsb
	jmp exit_zero

; overrun: grants little, then checks that no more comes before more is granted
cmd_overrun:
	mov dword [word_out], 1
	mov al, 'R'
	call status_word
	mov dword [word_out], 1000
	mov al, 'C'
	call status_word
	xor ebx, ebx
.collect:
	call read_frame
	cmp byte [header], 'D'
	jne .collect
	movzx ecx, word [header + 2]
	add ebx, ecx
	cmp ebx, 1000
	jb .collect
	ja .bad
	mov ecx, 2000000		; time for what must not come
	mov dx, COM2_LSR
.quiet:
	in al, dx
	test al, 1
	jnz .bad
	loop .quiet
	jmp exit_zero
.bad:
	mov eax, 1
	jmp exit_status

all_said:
	mov al, 'Z'
	xor ecx, ecx
	call status_frame
	mov dx, PM1A_CONTROL
	mov ax, PM1A_POWEROFF
	out dx, ax
	jmp stand

section .data
shared_word:	db "exec.shared=1"
.end:
; the descriptors of the four rings: head, tail, offset of the data, size, who waits
align 4096
rings:
%assign ring 0
%rep 4
	dd 0, 0, 4096 + ring * RING_BYTES, RING_BYTES, 0, 0
	times 64 - 24 db 0
%assign ring ring + 1
%endrep
	times 4096 - 256 db 0
	times 4 * RING_BYTES db 0
boot_line:	db "fake guest: a line of the log", 13, 10, 0
panic_log:	db "PANIC: the fake guest was told to", 13, 10, "  in cmd_panic", 13, 10, 0
hang_log:	db "fake guest: the last line before silence", 13, 10, 0
window_text:	db "window", 0
line_end:	db 13, 10, 0
digits:		times 12 db 0
.end:		db 0
panic_text:	db "the fake guest was told to"
.end:
missing_text:	db "no such program"
.end:
noexec_text:	db "not an ELF file"
.end:
align 4
no_idt:		dw 0
		dd 0
names:
.echo:		db "echo", 0
.both:		db "both", 0
.sink:		db "sink", 0
.flood:		db "flood", 0
.argv:		db "argv", 0
.cmdline:	db "cmdline", 0
.exit:		db "exit", 0
.signal:	db "signal", 0
.noexec:	db "noexec", 0
.panic:		db "panic", 0
.reset:		db "reset", 0
.hang:		db "hang", 0
.silent:	db "silent", 0
.spin:		db "spin", 0
.archive:	db "archive", 0
.window:	db "window", 0
.overrun:	db "overrun", 0
align 4
commands:
	dd names.echo, cmd_echo, names.both, cmd_both, names.sink, cmd_sink
	dd names.flood, cmd_flood, names.argv, cmd_argv, names.cmdline, cmd_cmdline
	dd names.exit, cmd_exit, names.signal, cmd_signal, names.noexec, cmd_noexec
	dd names.panic, cmd_panic, names.reset, cmd_reset, names.hang, cmd_hang
	dd names.silent, cmd_silent, names.spin, cmd_spin, names.archive, cmd_archive
	dd names.overrun, cmd_overrun
	dd names.window, cmd_window
	dd 0, 0

section .bss align=16
cmdline:	resd 1
argument:	resd 1
saved:		resd 1
shared:		resb 1
stdin_ended:	resb 1
		resb 2
argv_end:	resd 1
word_out:	resd 1
header:		resb 4
frame:		resb 65536
payload:	resb 65536
argv:		resb 4096
stack:		resb 4096
stack_top:
