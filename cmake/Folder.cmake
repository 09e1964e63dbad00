# fuselage_folder(NAME USES folder... SOURCES file...)
#
# One folder of the kernel as one OBJECT library called NAME. Its include path holds its own folder,
# its own include/ and the include/ of each folder that it USES, and nothing else: a call the wrong
# way does not compile. A folder may only use what stands above it in FUSELAGE_ORDER.
#
# Every public header is also compiled alone (library NAME_headers), so it includes what it needs.
# SOURCES may be left out: abi/ has only headers.
set(FUSELAGE_ORDER abi lib arch sched mm ipc fusek kernel ksh)
set_property(GLOBAL PROPERTY FUSELAGE_FOLDERS "")

function(fuselage_folder name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES;SOURCES")
	if(arg_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "fuselage_folder(${name}): what is '${arg_UNPARSED_ARGUMENTS}'?")
	endif()

	set(includes ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/include)
	list(FIND FUSELAGE_ORDER ${name} own_level)
	foreach(used IN LISTS arg_USES)
		list(FIND FUSELAGE_ORDER ${used} used_level)
		if(used_level LESS 0 OR used_level GREATER_EQUAL own_level)
			message(FATAL_ERROR "${name}/ may not use ${used}/: the order is ${FUSELAGE_ORDER}")
		endif()
		get_property(used_include GLOBAL PROPERTY FUSELAGE_INCLUDE_${used})
		list(APPEND includes ${used_include})
	endforeach()
	set_property(GLOBAL PROPERTY FUSELAGE_INCLUDE_${name} ${CMAKE_CURRENT_SOURCE_DIR}/include)

	if(arg_SOURCES)
		add_library(${name} OBJECT ${arg_SOURCES})
		target_include_directories(${name} PRIVATE ${includes})
		target_link_libraries(${name} PRIVATE fuselage_flags)
		fuselage_sanitize(${name})
		if(NOT name STREQUAL ksh)
			target_compile_options(${name} PRIVATE
				$<$<AND:$<COMPILE_LANGUAGE:C>,$<CONFIG:Release>>:-flto>)
		endif()
		set_property(GLOBAL APPEND PROPERTY FUSELAGE_FOLDERS ${name})
	endif()
	fuselage_check_headers(${name} "${includes}")
endfunction()

# One generated source per public header, which includes it twice: alone and guarded.
function(fuselage_check_headers name includes)
	file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/include
		${CMAKE_CURRENT_SOURCE_DIR}/include/*/*.h)
	set(sources)
	foreach(header IN LISTS headers)
		string(MAKE_C_IDENTIFIER ${header} id)
		set(source ${CMAKE_CURRENT_BINARY_DIR}/headers/${id}.c)
		file(CONFIGURE OUTPUT ${source} CONTENT "#include <@header@>\n#include <@header@>\n" @ONLY)
		list(APPEND sources ${source})
	endforeach()
	if(sources)
		add_library(${name}_headers OBJECT ${sources})
		target_include_directories(${name}_headers PRIVATE ${includes})
		target_link_libraries(${name}_headers PRIVATE fuselage_flags)
	endif()
endfunction()
