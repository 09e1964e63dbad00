# erofsfuse: images of mkfs.erofs, plain or packed by lz4, for reading. On libfuse 2.
set(erofs ${PACKAGES}/erofs-utils)
version(version ${erofs}/VERSION "")

sources(liberofs ${erofs}/lib config io cache super inode xattr exclude namei data compress compressor
	zmap decompress compress_hints hashmap sha256 blobchunk dir compressor_lz4 compressor_lz4hc)
sources(lz4 ${PACKAGES}/lz4/lib lz4 lz4hc)
driver(erofsfuse ${erofs}/fuse/main.c ${liberofs} ${lz4})
target_compile_definitions(erofsfuse PRIVATE FUSE_USE_VERSION=26 LZ4_ENABLED=1 LZ4HC_ENABLED=1
	PACKAGE_VERSION="${version}")
target_include_directories(erofsfuse PRIVATE ${erofs}/include ${PACKAGES}/lz4/lib)
target_link_libraries(erofsfuse PRIVATE fuse2)
