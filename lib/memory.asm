; memcpy, memmove and memset in eight-byte steps. `rep movsb` is one instruction a byte under emulation, `rep movsq`
; one for eight; short lengths go through plain moves, since starting a `rep` is what costs there on hardware.

bits 64
default rel

section .text

global memcpy:function hidden
global memmove:function hidden
global memset:function hidden

; rdi = to, rsi = from, rdx = length; returns to in rax
memcpy:
	mov	rax, rdi
	cmp	rdx, 32
	jbe	.short
	mov	rcx, rdx
	shr	rcx, 3
	rep	movsq
	and	edx, 7
	jz	.done
	; The last eight bytes again, overlapping what was copied: fewer steps than byte by byte.
	mov	rcx, [rsi + rdx - 8]
	mov	[rdi + rdx - 8], rcx
.done:
	ret
.short:
	cmp	edx, 16
	jae	.from16
	cmp	edx, 8
	jae	.from8
	cmp	edx, 4
	jae	.from4
	test	edx, edx
	jz	.done
	; 1 to 3 bytes: the first, the last and the middle one, all read before any is written
	movzx	ecx, byte [rsi]
	movzx	r8d, byte [rsi + rdx - 1]
	mov	r10d, edx
	shr	r10d, 1
	movzx	r9d, byte [rsi + r10]
	mov	[rdi], cl
	mov	[rdi + r10], r9b
	mov	[rdi + rdx - 1], r8b
	ret
.from16:
	mov	rcx, [rsi]
	mov	r8, [rsi + 8]
	mov	r9, [rsi + rdx - 16]
	mov	r10, [rsi + rdx - 8]
	mov	[rdi], rcx
	mov	[rdi + 8], r8
	mov	[rdi + rdx - 16], r9
	mov	[rdi + rdx - 8], r10
	ret
.from8:
	mov	rcx, [rsi]
	mov	r8, [rsi + rdx - 8]
	mov	[rdi], rcx
	mov	[rdi + rdx - 8], r8
	ret
.from4:
	mov	ecx, [rsi]
	mov	r8d, [rsi + rdx - 4]
	mov	[rdi], ecx
	mov	[rdi + rdx - 4], r8d
	ret

; As memcpy, but the ranges may overlap.
memmove:
	mov	rax, rdi
	mov	rcx, rdi
	sub	rcx, rsi
	cmp	rcx, rdx
	jae	.forward		; to is below from, or beyond its end
	; to lies inside [from, from + length): copy from the end
	std
	mov	rcx, rdx
	lea	rsi, [rsi + rdx - 8]
	lea	rdi, [rdi + rdx - 8]
	shr	rcx, 3
	rep	movsq
	mov	rcx, rdx
	and	ecx, 7
	add	rsi, 7
	add	rdi, 7
	rep	movsb
	cld
	ret
.forward:
	cmp	rdx, 32
	jbe	memcpy.short		; reads everything before it writes
	mov	rcx, rdx
	shr	rcx, 3
	rep	movsq
	mov	ecx, edx
	and	ecx, 7			; byte by byte: memcpy's tail would read what was just written
	rep	movsb
	ret

; rdi = to, sil = byte, rdx = length; returns to in rax
memset:
	mov	r9, rdi
	movzx	eax, sil
	mov	rcx, 0x0101010101010101
	imul	rax, rcx
	cmp	rdx, 8
	jb	.bytes
	mov	[rdi + rdx - 8], rax	; the tail, overlapping
	mov	rcx, rdx
	shr	rcx, 3
	rep	stosq
	mov	rax, r9
	ret
.bytes:
	mov	rcx, rdx
	rep	stosb
	mov	rax, r9
	ret
