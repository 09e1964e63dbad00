# The kernel's link, from the objects of all folders to the file that is shipped:
#
#   kernel.pass1   linked with an empty symbol table
#   kernel.pass2   linked with pass1's table; the table has its final size from here on
#   kernel.debug   linked with pass2's table; symtab.py --check proves that the names are right
#   fuselage.elf   kernel.debug without symbols and without a section header table, which
#                  GRUB 2.06 needs: it refuses a kernel with relocation sections
#
# The linker script (arch/x86_64/kernel.ld) places .rodata.symtab.
set(FUSELAGE_LINKER_SCRIPT ${CMAKE_SOURCE_DIR}/arch/x86_64/kernel.ld)
set(FUSELAGE_KERNEL ${CMAKE_BINARY_DIR}/kernel.debug)
# Where the image must end: firmware keeps memory of its own above 8 MiB. The checked kernel is larger,
# and only loaded by QEMU itself, which has none there.
set(FUSELAGE_IMAGE_LIMIT $<IF:$<BOOL:${FUSELAGE_SANITIZE}>,0x1000000,0x800000>)
set(FUSELAGE_IMAGE ${CMAKE_BINARY_DIR}/fuselage.elf)

# kernel.whole: the objects of all folders as one. Optimised as one in release, where a function is
# put into its callers wherever they are: once, not in each pass.
function(fuselage_whole)
	get_property(folders GLOBAL PROPERTY FUSELAGE_FOLDERS)
	list(REMOVE_ITEM folders ksh)
	set(objects ${folders})
	list(TRANSFORM objects REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>")
	add_executable(kernel.whole ${objects})
	set_target_properties(kernel.whole PROPERTIES
		LINKER_LANGUAGE C RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR} SUFFIX .o EXCLUDE_FROM_ALL ON)
	target_link_options(kernel.whole PRIVATE -nostdlib -r
		"$<$<CONFIG:Release>:-flto=2;-flinker-output=nolto-rel;${FUSELAGE_CODE_FLAGS};-O2>")
endfunction()

function(fuselage_link target table)
	add_executable(${target} ${table})
	target_link_libraries(${target} PRIVATE ${CMAKE_BINARY_DIR}/kernel.whole.o)
	add_dependencies(${target} kernel.whole)
	set_target_properties(${target} PROPERTIES
		LINKER_LANGUAGE C RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
		LINK_DEPENDS "${FUSELAGE_LINKER_SCRIPT};${CMAKE_BINARY_DIR}/kernel.whole.o" EXCLUDE_FROM_ALL ON)
	# -z notext: the kernel applies its relocations before any page of it becomes read-only.
	target_link_options(${target} PRIVATE
		-nostdlib -static-pie
		-Wl,--no-dynamic-linker -Wl,-z,max-page-size=4096 -Wl,-z,notext
		-Wl,-z,noexecstack -Wl,-z,norelro -Wl,--build-id=none
		-Wl,--defsym=kernel_image_limit=${FUSELAGE_IMAGE_LIMIT}
		-Wl,-T,${FUSELAGE_LINKER_SCRIPT})
endfunction()

# The symbol table of one pass, as a source for the next.
function(fuselage_symtab output pass)
	add_custom_command(OUTPUT ${output}
		COMMAND ${FUSELAGE_PYTHON} ${CMAKE_SOURCE_DIR}/tools/symtab.py
			--nm ${CMAKE_NM} $<TARGET_FILE:${pass}> ${output}
		DEPENDS ${pass} ${CMAKE_SOURCE_DIR}/tools/symtab.py
		COMMENT "Symbols of ${pass}" VERBATIM)
endfunction()

function(fuselage_kernel_image)
	if(NOT TARGET kernel OR NOT EXISTS ${FUSELAGE_LINKER_SCRIPT})
		message(STATUS "No kernel/ and arch/ yet: nothing to link")
		return()
	endif()
	set(tables ${CMAKE_BINARY_DIR}/symtab)
	file(MAKE_DIRECTORY ${tables})
	set(symtab ${CMAKE_SOURCE_DIR}/tools/symtab.py)
	add_custom_command(OUTPUT ${tables}/pass0.asm
		COMMAND ${FUSELAGE_PYTHON} ${symtab} --empty ${tables}/pass0.asm
		DEPENDS ${symtab} VERBATIM)
	fuselage_symtab(${tables}/pass1.asm kernel.pass1)
	fuselage_symtab(${tables}/pass2.asm kernel.pass2)
	fuselage_whole()
	fuselage_link(kernel.pass1 ${tables}/pass0.asm)
	fuselage_link(kernel.pass2 ${tables}/pass1.asm)
	fuselage_link(kernel.debug ${tables}/pass2.asm)

	add_custom_command(OUTPUT ${FUSELAGE_IMAGE}
		COMMAND ${FUSELAGE_PYTHON} ${symtab} --nm ${CMAKE_NM}
			--check ${tables}/pass2.asm ${FUSELAGE_KERNEL}
		COMMAND ${FUSELAGE_PYTHON} ${CMAKE_SOURCE_DIR}/tools/elfcheck.py ${FUSELAGE_KERNEL}
		COMMAND ${CMAKE_OBJCOPY} --strip-all ${FUSELAGE_KERNEL} ${FUSELAGE_IMAGE}.stripped
		COMMAND ${FUSELAGE_PYTHON} ${CMAKE_SOURCE_DIR}/tools/strip_sections.py
			${FUSELAGE_IMAGE}.stripped ${FUSELAGE_IMAGE}
		DEPENDS kernel.debug ${symtab} ${CMAKE_SOURCE_DIR}/tools/elfcheck.py
			${CMAKE_SOURCE_DIR}/tools/strip_sections.py
		BYPRODUCTS ${FUSELAGE_IMAGE}.stripped
		COMMENT "Kernel image ${FUSELAGE_IMAGE}" VERBATIM)
	add_custom_target(kernel_image DEPENDS ${FUSELAGE_IMAGE})
endfunction()
