# ntfs-3g, on the libfuse that it has inside.
set(ntfs ${PACKAGES}/ntfs-3g)

version(version ${ntfs}/configure.ac "AC_INIT\\(\\[ntfs-3g\\],\\[")
sources(libntfs ${ntfs}/libntfs-3g acls attrib attrlist bitmap bootsect cache collate compat compress
	debug device dir ea efs index inode ioctl lcnalloc logfile logging mft misc mst object_id
	realpath reparse runlist security unistr unix_io volume xattrs)
sources(fuse_lite ${ntfs}/libfuse-lite fuse fuse_kern_chan fuse_loop fuse_lowlevel fuse_opt
	fuse_session fuse_signals fusermount helper mount mount_util)
driver(ntfs-3g ${ntfs}/src/ntfs-3g.c ${ntfs}/src/ntfs-3g_common.c ${libntfs} ${fuse_lite})
target_compile_definitions(ntfs-3g PRIVATE FUSE_USE_VERSION=26 FUSE_INTERNAL=1 IGNORE_MTAB=1
	DISABLE_PLUGINS=1 PACKAGE="ntfs-3g" PACKAGE_VERSION="${version}" VERSION="${version}")
target_include_directories(ntfs-3g PRIVATE ${ntfs}/include/fuse-lite ${ntfs}/include/ntfs-3g
	${ntfs}/include)
