# bindfs: a folder a second time, with other owners and rights. On libfuse 2.
set(bindfs ${PACKAGES}/bindfs/src)

version(version ${bindfs}/../configure.ac "AC_INIT\\(\\[bindfs\\],\\[")
sources(names ${bindfs} bindfs debug permchain userinfo misc usermap rate_limiter)
driver(bindfs ${names})
target_compile_definitions(bindfs PRIVATE _REENTRANT FUSE_USE_VERSION=26 HAVE_FUSE_29=1
	HAVE_STAT_NANOSEC=1 PACKAGE="bindfs" PACKAGE_STRING="bindfs ${version}")
target_link_libraries(bindfs PRIVATE fuse2)
