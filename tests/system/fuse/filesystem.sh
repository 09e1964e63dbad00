# posixfs and fsexercise on the mounts that the file plan lists, a line each: what posixfs calls it
# (WHO,WHO), the features that it lacks or "-", and the driver with its arguments, or "-" for tmpfs. "@"
# in them is a folder of its own, "%" is FOLDER. Run by test_filesystem.py, in the machine and on Linux:
#	filesystem.sh STEPS FOLDER
# FOLDER is on a tmpfs and has plan, programs and drivers.
b=/bin/busybox
steps=$1 here=$2
n=0
$b mkdir $here/m $here/source
while read -r who lacks driver; do
	n=$((n + 1))
	m=$here/m/$n
	$b mkdir $m $here/source/$n
	echo "== $who $driver"
	pid=
	if $b test "$driver" != -; then
		$here/drivers/$(echo "$driver" | $b sed "s,@,$here/source/$n,;s,%,$here,") -f $m 2>$here/stderr &
		pid=$!
		tries=0
		until $b grep -q " $m fuse" /proc/mounts; do
			tries=$((tries + 1))
			$b test $tries = 500 && echo "not mounted" && $b cat $here/stderr && break
			$b usleep 10000
		done
	fi
	without=
	for feature in $(echo "$lacks" | $b tr ",-" "  "); do
		without="$without --without $feature"
	done
	names=
	for name in $(echo "$who" | $b tr , " "); do
		names="$names --as $name"
	done
	if $b test -e $here/posixfs; then
		$here/posixfs --differences $here/DIFFERENCES $names $m >$here/out
		echo "posixfs ended with $?"
		$b grep -v ^ok $here/out
	fi
	if $b test "$steps" != 0; then
		$here/fsexercise --seed $n --steps $steps $without $m
		echo "fsexercise ended with $?"
	fi
	if $b test -n "$pid"; then
		umount $m
		wait $pid
		echo "driver ended with $?"
	fi
done <$here/plan
