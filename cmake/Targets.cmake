# The targets that a person types, and what they stand for.
#   image   the kernel, the base ramdisk and the SDK: all that is needed to boot, and to build for it
#   run     boots into ksh            test    runs every test            iso     for real machines
set(FUSELAGE_TOOL ${CMAKE_SOURCE_DIR}/fuselage)
string(TOLOWER ${CMAKE_BUILD_TYPE} FUSELAGE_PRESET)

add_custom_target(image)
if(TARGET kernel_image)
	add_dependencies(image kernel_image)
endif()
foreach(part ramdisk ports)
	if(TARGET ${part})
		add_dependencies(image ${part})
	endif()
endforeach()

add_custom_target(run
	COMMAND ${FUSELAGE_TOOL} run --preset ${FUSELAGE_PRESET} USES_TERMINAL VERBATIM)
add_custom_target(test
	COMMAND ${FUSELAGE_TOOL} test USES_TERMINAL VERBATIM)
add_custom_target(iso
	COMMAND ${FUSELAGE_TOOL} iso --output ${CMAKE_BINARY_DIR}/fuselage.iso USES_TERMINAL VERBATIM)
