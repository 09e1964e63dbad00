# The kernel's toolchain: Debian's compiler by triple. It is the native compiler on x86-64 and the
# package gcc-x86-64-linux-gnu elsewhere; nothing of the host's libc is used by what it builds.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(FUSELAGE_TRIPLE x86_64-linux-gnu)
set(CMAKE_C_COMPILER ${FUSELAGE_TRIPLE}-gcc)
set(CMAKE_OBJCOPY ${FUSELAGE_TRIPLE}-objcopy CACHE STRING "objcopy of the kernel's toolchain")
set(CMAKE_NM ${FUSELAGE_TRIPLE}-nm CACHE STRING "nm of the kernel's toolchain")
set(CMAKE_ASM_NASM_COMPILER nasm)
set(CMAKE_ASM_NASM_OBJECT_FORMAT elf64)

# A freestanding program can't be linked before the kernel's own linker script is there.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
