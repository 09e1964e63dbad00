# libfuse 2.9, for drivers that were never moved to libfuse 3, and its examples for the tests.
set(libfuse2 ${PACKAGES}/fuse)

version(version ${libfuse2}/configure.ac "AC_INIT\\(fuse, ")
sources(names ${libfuse2}/lib fuse fuse_kern_chan fuse_loop fuse_loop_mt fuse_lowlevel fuse_mt fuse_opt
	fuse_session fuse_signals buffer cuse_lowlevel helper modules/subdir modules/iconv
	mount mount_util ulockmgr)
add_library(fuse2 STATIC ${names})
target_compile_definitions(fuse2 PRIVATE _REENTRANT FUSE_USE_VERSION=26 FUSERMOUNT_DIR="/bin"
	PACKAGE_VERSION="${version}" ICONV_CONST= IGNORE_MTAB=1)
target_include_directories(fuse2 PUBLIC ${libfuse2}/include)
set_target_properties(fuse2 PROPERTIES OUTPUT_NAME fuse ARCHIVE_OUTPUT_DIRECTORY ${sdk}/lib)

set(installed)
foreach(header fuse.h fuse_common.h fuse_common_compat.h fuse_compat.h fuse_lowlevel.h
	fuse_lowlevel_compat.h fuse_opt.h cuse_lowlevel.h)
	add_custom_command(OUTPUT ${sdk}/include/fuse/${header}
		COMMAND ${CMAKE_COMMAND} -E copy ${libfuse2}/include/${header}
			${sdk}/include/fuse/${header}
		DEPENDS ${libfuse2}/include/${header} VERBATIM)
	list(APPEND installed ${sdk}/include/fuse/${header})
endforeach()
add_custom_target(fuse2_headers ALL DEPENDS ${installed})

foreach(name fusexmp fusexmp_fh hello hello_ll null fioc fioclient fsel fselclient)
	add_executable(fuse2_${name} ${libfuse2}/example/${name}.c)
	target_link_libraries(fuse2_${name} PRIVATE fuse2)
	set_target_properties(fuse2_${name} PROPERTIES OUTPUT_NAME ${name}
		RUNTIME_OUTPUT_DIRECTORY ${PROGRAMS}/libfuse2)
endforeach()
# Locks for fusexmp_fh: ulockmgr starts it.
add_executable(ulockmgr_server ${libfuse2}/util/ulockmgr_server.c)
set_target_properties(ulockmgr_server PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROGRAMS}/libfuse2)
