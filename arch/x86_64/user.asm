; Copies between the kernel and the current program's memory, eight bytes at a time. Each returns how many bytes were
; NOT copied. A fault that mm/ cannot serve ends the copy through the exception table.

%include "entry.inc"

bits 64
default rel

section .text

; size_t user_copy_raw(void *to (rdi), const void *from (rsi), size_t len_bytes (rdx))
; One side is the user's; the caller has checked its range.
align 16
global user_copy_raw:function hidden
user_copy_raw:
	SMAP_SITE SMAP_STAC
	mov	rcx, rdx
	shr	rcx, 3
	jz	.tail
.words:
	rep	movsq
.tail:
	mov	ecx, edx
	and	ecx, 7
	jz	.done
.bytes:
	rep	movsb
.done:
	SMAP_SITE SMAP_CLAC
	xor	eax, eax
	ret
.words_fault:
	; rcx words are left, and the tail. Byte by byte up to the edge, so that a short count is exact.
	and	edx, 7
	lea	rcx, [rcx * 8 + rdx]
.retry:
	rep	movsb
	jmp	.done
.bytes_fault:
	mov	rax, rcx
	SMAP_SITE SMAP_CLAC
	ret
FIXUP .words, .words_fault
FIXUP .bytes, .bytes_fault
FIXUP .retry, .bytes_fault

; size_t user_clear_raw(void *to (rdi), size_t len_bytes (rsi))
align 16
global user_clear_raw:function hidden
user_clear_raw:
	SMAP_SITE SMAP_STAC
	xor	eax, eax
	mov	rcx, rsi
	shr	rcx, 3
.words:
	rep	stosq
	mov	ecx, esi
	and	ecx, 7
.bytes:
	rep	stosb
	SMAP_SITE SMAP_CLAC
	ret				; rax is 0
.words_fault:
	and	esi, 7
	lea	rax, [rcx * 8 + rsi]
	SMAP_SITE SMAP_CLAC
	ret
.bytes_fault:
	mov	rax, rcx
	SMAP_SITE SMAP_CLAC
	ret
FIXUP .words, .words_fault
FIXUP .bytes, .bytes_fault

; ssize_t user_string_raw(char *to (rdi), const char *from (rsi), size_t max_bytes (rdx))
; The length without the NUL; max_bytes if none was found within them; -1 on a fault.
align 16
global user_string_raw:function hidden
user_string_raw:
	SMAP_SITE SMAP_STAC
	xor	eax, eax
	mov	r8, 0x0101010101010101
	mov	r9, 0x8080808080808080
.next:
	; Eight bytes where there is room and they lie in one page: what stands behind the NUL may come along, and no
	; page is touched that the string does not reach.
	lea	rcx, [rax + 8]
	cmp	rcx, rdx
	ja	.one
	lea	ecx, [esi + eax]
	and	ecx, 4095
	cmp	ecx, 4096 - 8
	ja	.one
.load_word:
	mov	rcx, [rsi + rax]
	mov	[rdi + rax], rcx
	mov	r10, rcx
	not	r10
	sub	rcx, r8
	and	rcx, r10
	and	rcx, r9			; the lowest bit is in the first byte that is 0
	jnz	.end_in_word
	add	rax, 8
	jmp	.next
.end_in_word:
	bsf	rcx, rcx
	shr	ecx, 3
	add	rax, rcx
	jmp	.done
.one:
	cmp	rax, rdx
	jae	.done
.load:
	mov	cl, [rsi + rax]
	mov	[rdi + rax], cl
	test	cl, cl
	jz	.done
	inc	rax
	jmp	.next
.done:
	SMAP_SITE SMAP_CLAC
	ret
.fault:
	SMAP_SITE SMAP_CLAC
	mov	rax, -1
	ret
FIXUP .load_word, .fault
FIXUP .load, .fault

; int user_cas_raw(uint32_t *word (rdi), uint32_t *expected (rsi), uint32_t desired (edx))
; 0: done or not, *expected is what the word had before; -1: it could not be written.
align 16
global user_cas_raw:function hidden
user_cas_raw:
	mov	eax, [rsi]
	SMAP_SITE SMAP_STAC
.exchange:
	lock cmpxchg [rdi], edx
	SMAP_SITE SMAP_CLAC
	mov	[rsi], eax
	xor	eax, eax
	ret
.fault:
	SMAP_SITE SMAP_CLAC
	mov	eax, -1
	ret
FIXUP .exchange, .fault
