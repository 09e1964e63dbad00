# For the other scripts here: starting and ending drivers.
b=/bin/busybox

# begin ENTRY DRIVER ARGUMENTS...: starts it in the foreground, waits until ENTRY is in the list of mounts.
begin() {
	entry=$1
	shift
	"$@" >/tmp/stderr 2>&1 &
	pid=$!
	tries=0
	until $b grep -q " $entry fuse" /proc/mounts; do
		tries=$((tries + 1))
		$b test $tries = 500 && echo "no $entry" && $b cat /tmp/stderr && break
		$b usleep 10000
	done
}

# end ENTRY PID: unmounts it, waits for the driver, and says how it ended.
end() {
	$b umount $1
	wait $2
	echo "ended with $?"
}
