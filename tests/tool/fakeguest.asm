; A guest that speaks the exec channel without a kernel: the host side is tested against it.
;
; Owns the whole machine (PVH entry, flat 32-bit mode, polled, no interrupts). The program named by
; exec= on the command line is one of the commands in the table at the end; each plays one thing
; that a real kernel can do. stdin frames are read as the kernel would: 14 bytes at a time while the
; UART says that its FIFO holds as many.

bits 32

COM1_DATA	equ 0x3f8
COM1_LSR	equ 0x3fd
COM2_DATA	equ 0x2f8
COM2_IER	equ 0x2f9
COM2_IIR	equ 0x2fa		; read; the FIFO control register when written
COM2_MCR	equ 0x2fc
COM2_LSR	equ 0x2fd
STDOUT		equ 0x5e0
STDERR		equ 0x5e1
STATUS		equ 0x5e2
PM1A_CONTROL	equ 0x604		; q35: ACPI power management
PM1A_POWEROFF	equ 0x2000

; words of a ring's descriptor
RING_HEAD		equ 0
RING_TAIL		equ 4
RING_OFFSET		equ 8
RING_SIZE		equ 12
RING_PRODUCER_WAITS	equ 16
RING_CONSUMER_WAITS	equ 20
RING_BYTES		equ 65536
RING_STDIN		equ rings
RING_STDOUT		equ rings + 64
RING_STDERR		equ rings + 128
RING_ARCHIVE		equ rings + 192

WINDOW		equ 65536		; bytes of stdin granted ahead
FIFO_BURST	equ 14
POLL_DELAY	equ 5000
PVH_CMDLINE	equ 24			; offset of cmdline_paddr in struct hvm_start_info

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

; --- the channel --------------------------------------------------------------------------------

; says that the channel is served, and grants the first window
ready:
	mov dword [word_out], 1
	mov al, 'R'
	call status_word
	cmp byte [shared], 0
	je .ports
	mov dword [word_out], rings
	mov al, 'M'
	jmp status_word
.ports:
	mov dword [word_out], WINDOW
	mov al, 'C'
	jmp status_word

; one frame with the four bytes of word_out; al = type
status_word:
	mov esi, word_out
	mov ecx, 4
; one frame on the status port: al = type, esi = payload, ecx = its length
status_frame:
	mov dx, STATUS
	out dx, al
	xor eax, eax
	out dx, al
	mov al, cl
	out dx, al
	mov al, ch
	out dx, al
	rep outsb
	ret

; ecx bytes from esi to the stream of ring ebx: through the ring, or the stream's port
emit:
	cmp byte [shared], 0
	je .ports
.again:
	jecxz .kick
	mov eax, [ebx + RING_HEAD]
	mov edx, [ebx + RING_TAIL]
	add edx, [ebx + RING_SIZE]
	sub edx, eax			; bytes of space
	jz .full
	mov edi, [ebx + RING_SIZE]
	dec edi
	and edi, eax			; where to put
	mov [saved], ebp
	mov ebp, [ebx + RING_SIZE]
	sub ebp, edi			; bytes up to the ring's end
	cmp edx, ebp
	cmova edx, ebp
	cmp edx, ecx
	cmova edx, ecx
	mov ebp, [saved]
	add edi, rings
	add edi, [ebx + RING_OFFSET]
	sub ecx, edx
	push ecx
	mov ecx, edx
	rep movsb
	pop ecx
	add [ebx + RING_HEAD], edx
	jmp .again
.full:
	call .kick
	mov dword [ebx + RING_PRODUCER_WAITS], 1
	mfence
	mov edx, [ebx + RING_TAIL]
	add edx, [ebx + RING_SIZE]
	cmp edx, [ebx + RING_HEAD]
	jne .again
	push esi
	push ecx
	call read_frame			; T, or something else that makes us look again
	pop ecx
	pop esi
	jmp .again
.kick:
	push esi
	push ecx
	mov al, 'K'
	xor ecx, ecx
	call status_frame
	pop ecx
	pop esi
	ret
.ports:
	cmp ebx, RING_ARCHIVE
	je .frame
	mov edx, ebx
	sub edx, rings
	shr edx, 6			; 64 bytes a descriptor: 1 is stdout, 2 is stderr
	add edx, STDOUT - 1
	rep outsb
	ret
.frame:
	mov al, 'G'
	jmp status_frame

; read_stdin through the ring
read_ring:
	mov ebx, RING_STDIN
	mov ecx, [ebx + RING_HEAD]
	mov eax, [ebx + RING_TAIL]
	sub ecx, eax
	jnz .copy
	cmp byte [stdin_ended], 0
	jne .end
	mov dword [ebx + RING_CONSUMER_WAITS], 1
	mfence
	cmp [ebx + RING_HEAD], eax
	jne read_ring
	call read_frame
	jmp read_ring
.copy:
	mov esi, [ebx + RING_SIZE]
	mov edx, esi
	dec esi
	and esi, eax
	sub edx, esi			; bytes up to the ring's end
	cmp ecx, edx
	cmova ecx, edx
	mov edx, ecx
	add esi, rings
	add esi, [ebx + RING_OFFSET]
	mov edi, payload
	rep movsb
	mov ecx, edx
	add [ebx + RING_TAIL], edx
	mfence
	cmp dword [ebx + RING_PRODUCER_WAITS], 0
	je .done
	mov dword [ebx + RING_PRODUCER_WAITS], 0
	call emit.kick
.done:
	test ecx, ecx
	ret
.end:
	xor ecx, ecx
	ret

; the next piece of stdin in payload, ecx = its length, 0 (and ZF) at the end; answers pings
read_stdin:
	cmp byte [shared], 0
	jne read_ring
	call read_frame
	mov al, [header]
	cmp al, 'E'
	je .end
	cmp al, 'D'
	jne read_stdin
	movzx ecx, word [header + 2]
	push ecx
	mov [word_out], ecx
	mov al, 'C'
	call status_word
	pop ecx
	mov esi, frame
	mov edi, payload
	push ecx
	rep movsb
	pop ecx
	test ecx, ecx
	ret
.end:
	xor ecx, ecx
	ret

; one whole frame in header and frame; a ping is answered at once, an end remembered
read_frame:
	mov edi, header
	mov ecx, 4
	call receive
	movzx ecx, word [header + 2]
	mov edi, frame
	call receive
	cmp byte [header], 'E'
	jne .no_end
	mov byte [stdin_ended], 1
.no_end:
	cmp byte [header], 'P'
	jne .done
	mov al, 'O'
	mov esi, frame
	mov ecx, 4
	call status_frame
.done:
	ret

; exactly ecx bytes from COM2 to edi
receive:
	jecxz .done
	cmp ecx, FIFO_BURST
	jb .single
	mov dx, COM2_IIR
	in al, dx
	and al, 0x0f
	cmp al, 4			; at least FIFO_BURST bytes wait
	jne .single
	sub ecx, FIFO_BURST
	push ecx
	mov ecx, FIFO_BURST
	mov dx, COM2_DATA
	rep insb
	pop ecx
	jmp receive
.single:
	mov dx, COM2_LSR
	in al, dx
	test al, 1
	jz .patience
	mov dx, COM2_DATA
	insb
	dec ecx
	jmp receive
.patience:
	; a tight loop of port reads starves QEMU's main loop, which brings the data
	mov eax, POLL_DELAY
.delay:
	dec eax
	jnz .delay
	jmp receive
.done:
	ret

; the text at esi on COM1
log:
	lodsb
	test al, al
	jz .done
	mov ah, al
	mov dx, COM1_LSR
.wait:
	in al, dx
	test al, 0x20
	jz .wait
	mov al, ah
	mov dx, COM1_DATA
	out dx, al
	jmp log
.done:
	ret

; eax in decimal on COM1, a space before it
log_number:
	mov edi, digits.end
	mov ecx, 10
.digit:
	xor edx, edx
	div ecx
	add dl, '0'
	dec edi
	mov [edi], dl
	test eax, eax
	jnz .digit
	dec edi
	mov byte [edi], ' '
	mov esi, edi
	jmp log

; --- the command line ---------------------------------------------------------------------------

; the decimal number at [argument] in eax
number:
	mov esi, [argument]
	xor eax, eax
	xor ecx, ecx
.digit:
	mov cl, [esi]
	sub cl, '0'
	cmp cl, 9
	ja .done
	imul eax, eax, 10
	add eax, ecx
	inc esi
	jmp .digit
.done:
	ret

; decodes exec= into argv, zeros between the arguments and after the last
decode_exec:
	mov esi, [cmdline]
.find:
	cmp byte [esi], 0
	je .end
	cmp dword [esi], 'exec'
	jne .skip
	cmp byte [esi + 4], '='
	je .found
.skip:
	inc esi
	jmp .find
.found:
	add esi, 5
	mov edi, argv
.copy:
	lodsb
	cmp al, ' '
	jbe .end
	cmp al, '%'
	jne .store
	call hex_digit
	mov ah, al
	shl ah, 4
	call hex_digit
	or al, ah
.store:
	stosb
	jmp .copy
.end:
	mov byte [edi], 0
	inc edi
	mov [argv_end], edi
	ret

; sets [shared] if the tool offers shared memory: exec.shared=1 on the command line
find_shared:
	mov esi, [cmdline]
.next:
	mov edi, shared_word
	mov ecx, shared_word.end - shared_word
	push esi
	repe cmpsb
	pop esi
	je .found
	inc esi
	cmp byte [esi], 0
	jne .next
	ret
.found:
	mov byte [shared], 1
	ret

; the value of the hexadecimal digit at esi in al; ah is kept
hex_digit:
	lodsb
	cmp al, '9'
	jbe .decimal
	or al, 0x20
	sub al, 'a' - 10
	ret
.decimal:
	sub al, '0'
	ret

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
