# All of libfuse's examples and the programs of its tests, as its own test/test_examples.py and
# test/test_ctests.py use them. Run by test_libfuse.py, which reads what is printed. What waits for
# the next second runs at the same time as the others. test_syscalls takes seconds, so without the
# argument "all" it is passthrough_ll's alone.
b=/bin/busybox
d=/tmp/drivers
src=/tmp/src
$b mkdir -p $src /tmp/said

# until COMMAND...: for ten seconds at most.
until_true() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		$b test $tries -gt 1000 && echo "never: $*" && return 1
		$b usleep 10000
	done
}

# begin MOUNTPOINT ENTRY DRIVER ARGUMENTS...
begin() {
	m=$1 entry=$2
	shift 2
	"$@" -f $m >/tmp/said/log 2>&1 &
	pid=$!
	until_true $b test -e $m$entry
}

end() {
	umount $m
	wait $pid
	echo "ended with $?"
}

# changes NAME: what it shows is another thing a second later.
changes() {
	$b mkdir /tmp/$1
	$d/$1 --update-interval=1 -f /tmp/$1 >/tmp/said/$1.log 2>&1 &
	changing=$!
	until_true $b test -e /tmp/$1/current_time
	before=$($b cat /tmp/$1/current_time)
	until_true $b sh -c "test '$before' != \"\$($b cat /tmp/$1/current_time)\"" && echo changed
	umount /tmp/$1
	wait $changing
	echo "ended with $?"
}

# A name that goes while it would be kept for a minute.
expires() {
	$b mkdir /tmp/entry$1
	$d/notify_inval_entry --update-interval=1 --timeout=60 $2 -f /tmp/entry$1 >/tmp/said/entry$1.log 2>&1 &
	changing=$!
	until_true $b sh -c "$b ls /tmp/entry$1 | $b grep -q ."
	name=$($b ls /tmp/entry$1)
	$b stat /tmp/entry$1/$name >/dev/null 2>&1
	until_true $b test ! -e /tmp/entry$1/$name && echo gone
	umount /tmp/entry$1
	wait $changing
	echo "ended with $?"
}

polled() {
	$b mkdir /tmp/poll
	$d/poll -f /tmp/poll >/tmp/said/poll.log 2>&1 &
	changing=$!
	until_true $b test -e /tmp/poll/F
	cd /tmp/poll && $d/poll_client | $b grep -c '[0-9A-F]:[0-9][0-9]'
	cd /
	umount /tmp/poll
	wait $changing
	echo "ended with $?"
}

for name in notify_inval_inode invalidate_path notify_store_retrieve; do
	changes $name >/tmp/said/$name &
	slow="$slow $!"
done
expires 1 >/tmp/said/expires1 &
slow="$slow $!"
expires 2 --only-expire >/tmp/said/expires2 &
slow="$slow $!"
polled >/tmp/said/polled &
slow="$slow $!"

echo "== null"
echo dummy >/tmp/null
$d/null -f /tmp/null 2>/dev/null &
pid=$! m=/tmp/null
until_true $b sh -c "test \$($b stat -c %s /tmp/null) -gt 4000"
$b head -c 382 /tmp/null | $b tr '\0' z | $b wc -c
echo whatever >/tmp/null
end

echo "== printcap"
$d/printcap 2>&1 | $b grep -c "	FUSE_CAP_"

echo "== cuse"
$d/cuse -f --name=cuse-test 2>/dev/null &
pid=$!
until_true $b test -c /dev/cuse-test
$d/cuse_client /dev/cuse-test s
echo -n "some test data" | $d/cuse_client /dev/cuse-test w 14 5 2>/dev/null
$d/cuse_client /dev/cuse-test s
$d/cuse_client /dev/cuse-test r 21 0 2>/dev/null | $b tr '\0' .
echo
kill $pid
wait $pid
until_true $b test ! -e /dev/cuse-test

$b mkdir /tmp/m
for driver in passthrough "passthrough --plus" passthrough_fh passthrough_ll "passthrough_ll -o writeback"; do
	echo "== $driver"
	begin /tmp/m $src $d/$driver
	$b test "$driver" = "${driver%writeback}" || skip=-53
	if $b test "$1" = all -o "$driver" = passthrough_ll; then
		$d/test_syscalls $m$src :$src $skip >/tmp/said/syscalls 2>&1 || $b cat /tmp/said/syscalls
	fi
	echo text >$m$src/file && $b cat $src/file
	$b test "$($d/readdir_inode $m$src)" = "$($d/readdir_inode $src)" || echo "other inodes"
	end
done

$b mkdir /tmp/empty
for test in test_setattr test_write_cache "test_write_cache -owriteback_cache" "test_write_cache --delay_ms=200"; do
	echo "== $test"
	$d/$test /tmp/empty >/tmp/said/out 2>/tmp/said/err
	echo "ended with $?"
	$b cat /tmp/said/out /tmp/said/err | $b grep -v "closed\." # how far they were by then
done

wait $slow
for name in notify_inval_inode invalidate_path notify_store_retrieve expires1 expires2 polled; do
	echo "== $name"
	$b cat /tmp/said/$name
done
