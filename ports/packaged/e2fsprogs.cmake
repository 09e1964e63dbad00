# fuse2fs: ext2, ext3 and ext4, on libfuse 3.
set(e2fsprogs ${PACKAGES}/e2fsprogs)
set(made ${CMAKE_CURRENT_BINARY_DIR}/e2fsprogs)

# What its configure script makes of the sizes of C's types, which it asks the compiler for.
version(E2FSPROGS_VERSION ${e2fsprogs}/version.h "VERSION \"")
set(SIZEOF_SHORT 2)
set(SIZEOF_INT 4)
set(SIZEOF_LONG 8)
set(SIZEOF_LONG_LONG 8)
set(root_sysconfdir /etc)
set(datadir /usr/share)
foreach(name dirpaths.h ext2fs/ext2_err.et ext2fs/ext2_types.h blkid/blkid.h blkid/blkid_types.h
	uuid/uuid.h uuid/uuid_types.h)
	configure_file(${e2fsprogs}/lib/${name}.in ${made}/${name} @ONLY)
endforeach()

# The table of messages, by the package's own awk scripts.
foreach(kind c h)
	add_custom_command(OUTPUT ${made}/ext2fs/ext2_err.${kind}
		COMMAND awk -f ${e2fsprogs}/lib/et/et_${kind}.awk outfile=ext2_err.${kind}
			outfn=ext2_err.${kind} ext2_err.et
		WORKING_DIRECTORY ${made}/ext2fs
		DEPENDS ${made}/ext2fs/ext2_err.et VERBATIM)
endforeach()
add_custom_command(OUTPUT ${made}/crc32c_table.h
	COMMAND ${here}/crc32c_table.py ${made}/crc32c_table.h
	DEPENDS ${here}/crc32c_table.py VERBATIM)

sources(com_err ${e2fsprogs}/lib/et error_message et_name init_et com_err com_right)
sources(uuid ${e2fsprogs}/lib/uuid isnull pack parse unpack unparse)
sources(blkid ${e2fsprogs}/lib/blkid cache dev devname devno getsize llseek probe read resolve save
	tag version)
sources(ext2fs ${e2fsprogs}/lib/ext2fs alloc alloc_sb alloc_stats alloc_tables atexit badblocks
	bb_inode bitmaps bitops blkmap64_ba blkmap64_rb blknum block bmap check_desc closefs crc16
	crc32c csum dblist dblist_dir dirblock dirhash dir_iterate expanddir ext_attr extent
	fallocate fileio finddev flushb freefs gen_bitmap gen_bitmap64 get_num_dirs get_pathname
	getenv getsize getsectsize hashmap i_block icount ind_block initialize inline inline_data
	inode io_manager ismounted link llseek lookup mkdir mkjournal mmp namei native newdir
	nls_utf8 openfs orphan progress punch qcow2 read_bb read_bb_file res_gdt rw_bitmaps sha512
	sparse_io swapfs symlink undo_io unix_io unlink valid_blk version rbtree)
driver(fuse2fs ${e2fsprogs}/misc/fuse2fs.c ${e2fsprogs}/debugfs/journal.c
	${e2fsprogs}/e2fsck/recovery.c ${e2fsprogs}/e2fsck/revoke.c ${com_err} ${uuid} ${blkid}
	${ext2fs} ${made}/ext2fs/ext2_err.c ${made}/ext2fs/ext2_err.h ${made}/crc32c_table.h)
# DEBUGFS: journal.c and what it takes of e2fsck are to do without e2fsck's own context.
target_compile_definitions(fuse2fs PRIVATE FUSE_USE_VERSION=35 DEBUGFS CONFIG_MMP=1 CRC_BE_BITS=1
	HAVE_EXT2_IOCTLS=1 ENABLE_BMAP_STATS=1)
target_include_directories(fuse2fs PRIVATE ${made} ${made}/ext2fs ${e2fsprogs}/lib
	${e2fsprogs}/lib/ext2fs ${e2fsprogs}/lib/et ${e2fsprogs}/e2fsck ${e2fsprogs}/debugfs)
uses_fuse3(fuse2fs)
