# The preset kasan: every access to the heap, to frames and variables is checked, and every operation
# that C does not define. ksh and the programs are not instrumented.
set(FUSELAGE_KASAN_FLAGS -fsanitize=kernel-address
	# All checks are calls, so code may run before there is a shadow. Stacks have none.
	--param=asan-instrumentation-with-call-threshold=0 --param=asan-stack=0
	--param=asan-globals=1)
# Data of other CPUs lies at a distance that wraps around (percpu_of()).
set(FUSELAGE_UBSAN_FLAGS -fsanitize=undefined -fno-sanitize=pointer-overflow)

# Instruments one folder of the kernel.
function(fuselage_sanitize name)
	if(NOT FUSELAGE_SANITIZE OR name STREQUAL ksh)
		return()
	endif()
	target_compile_options(${name} PRIVATE
		"$<$<COMPILE_LANGUAGE:C>:${FUSELAGE_KASAN_FLAGS};${FUSELAGE_UBSAN_FLAGS}>")
endfunction()

# These files of the current folder run before a report could be printed, and before what is constant
# from then on has its value: nobody may look into them for that.
function(fuselage_runs_too_early)
	set(options $<$<CONFIG:Release>:-fno-lto>)
	if(FUSELAGE_SANITIZE)
		list(APPEND options -fno-sanitize=all)
	endif()
	set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "${options}")
endfunction()

# These files of the current folder are the allocators, or the checks themselves: they touch what is
# free.
function(fuselage_touches_what_is_free)
	if(FUSELAGE_SANITIZE)
		set_source_files_properties(${ARGN} PROPERTIES
			COMPILE_OPTIONS -fno-sanitize=kernel-address)
	endif()
endfunction()
