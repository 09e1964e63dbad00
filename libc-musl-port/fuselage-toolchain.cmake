# CMake toolchain file of the SDK: programs for Fuselage, by fuselage-cc.
#   cmake -DCMAKE_TOOLCHAIN_FILE=SDK/share/fuselage-toolchain.cmake ...
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
get_filename_component(FUSELAGE_SDK "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(CMAKE_C_COMPILER "${FUSELAGE_SDK}/bin/fuselage-cc")
set(CMAKE_AR x86_64-linux-gnu-ar)
set(CMAKE_RANLIB x86_64-linux-gnu-ranlib)
set(CMAKE_STRIP x86_64-linux-gnu-strip)
set(CMAKE_FIND_ROOT_PATH "${FUSELAGE_SDK}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
