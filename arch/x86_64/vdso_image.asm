; The vDSO's file (arch/x86_64/vdso/), whole pages of it, to be mapped as they lie here.
section .rodata.vdso progbits alloc noexec nowrite align=4096
global vdso_image_start:data hidden
global vdso_image_end:data hidden
vdso_image_start:
	incbin	"vdso.so"
	align	4096, db 0
vdso_image_end:
