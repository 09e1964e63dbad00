# How the kernel and ksh are compiled. Host tests and the SDK have flags of their own.
#
# -mcmodel=kernel refuses position-independent code, so the image is a PIE linked high: small model,
# everything hidden, only R_X86_64_RELATIVE left for the kernel to apply to itself.
add_library(fuselage_flags INTERFACE)

set(FUSELAGE_CODE_FLAGS
	-std=gnu17 -ffreestanding -nostdinc
	-fpie -mcmodel=small -fvisibility=hidden
	-mgeneral-regs-only -mno-red-zone
	-fno-omit-frame-pointer -fno-asynchronous-unwind-tables
	-fno-strict-aliasing -fno-common -fno-delete-null-pointer-checks
	-fstack-protector-strong -mstack-protector-guard=tls
	-mstack-protector-guard-reg=gs -mstack-protector-guard-offset=40 # struct cpu, stack_canary
	-g)
set(FUSELAGE_WARNING_FLAGS
	-Wall -Wextra -Werror
	-Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes
	-Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough
	# An operations table gives its functions their prototypes, used or not.
	-Wno-unused-parameter)

# The compiler's own freestanding headers (stdint.h, stddef.h, stdarg.h ...), and no others.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include
	OUTPUT_VARIABLE FUSELAGE_COMPILER_INCLUDE OUTPUT_STRIP_TRAILING_WHITESPACE
	COMMAND_ERROR_IS_FATAL ANY)
# The compiler's <limits.h> asks for the libc's half of it, and here there is none.
set(FUSELAGE_NO_LIBC_INCLUDE ${CMAKE_BINARY_DIR}/no-libc)
file(CONFIGURE OUTPUT ${FUSELAGE_NO_LIBC_INCLUDE}/limits.h CONTENT "")

# CMake's own ideas of Debug and Release (-g, -O3 -DNDEBUG) are replaced.
set(CMAKE_C_FLAGS_DEBUG "")
set(CMAKE_C_FLAGS_RELEASE "")
set(CMAKE_ASM_NASM_FLAGS_DEBUG "")
set(CMAKE_ASM_NASM_FLAGS_RELEASE "")

target_compile_options(fuselage_flags INTERFACE
	$<$<COMPILE_LANGUAGE:C>:${FUSELAGE_CODE_FLAGS};${FUSELAGE_WARNING_FLAGS}>
	"$<$<COMPILE_LANGUAGE:C>:SHELL:-isystem ${FUSELAGE_COMPILER_INCLUDE}>"
	"$<$<COMPILE_LANGUAGE:C>:SHELL:-isystem ${FUSELAGE_NO_LIBC_INCLUDE}>"
	"$<$<COMPILE_LANGUAGE:C>:-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=>"
	"$<$<AND:$<COMPILE_LANGUAGE:C>,$<CONFIG:Debug>>:-Og>"
	"$<$<AND:$<COMPILE_LANGUAGE:C>,$<CONFIG:Release>>:-O2>"
	"$<$<COMPILE_LANGUAGE:ASM_NASM>:-gdwarf;-w+all>")
target_compile_definitions(fuselage_flags INTERFACE
	FUSELAGE_DEBUG=$<IF:$<CONFIG:Debug>,1,0>
	$<$<BOOL:${FUSELAGE_SANITIZE}>:FUSELAGE_KASAN=1>)
