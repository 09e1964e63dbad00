# Drivers on libfuse 3, one after the other, each in the foreground with its threads. Run by
# test_libfuse.py, which reads what is printed between two lines of "== NAME".
b=/bin/busybox
m=/tmp/m
$b mkdir $m /tmp/src

# begin NAME ENTRY ARGUMENTS...: starts the driver, waits until its ENTRY is there.
begin() {
	echo "== $1"
	driver=/tmp/drivers/$1 entry=$2
	shift 2
	$driver -f "$@" 2>/tmp/stderr &
	pid=$!
	tries=0
	until $b test -e $m/$entry; do
		tries=$((tries + 1))
		$b test $tries = 500 && echo "no $entry" && break
		$b usleep 10000
	done
}

# end COMMAND...: ends it by that, and says how it ended.
end() {
	"$@"
	wait $pid
	echo "ended with $?"
	$b test -e $m/$entry && echo "still mounted"
}

begin hello hello $m
$b ls $m
$b cat $m/hello
$b cat $m/nothing 2>&1
end umount $m

begin hello_ll hello -s $m
$b cat $m/hello
end umount $m

begin hello hello $m
end kill -TERM $pid

begin ioctl fioc $m
/tmp/drivers/ioctl_client $m/fioc
/tmp/drivers/ioctl_client $m/fioc 5
/tmp/drivers/ioctl_client $m/fioc
end umount $m

begin passthrough tmp $m
echo text >$m/tmp/src/a
$b cat /tmp/src/a
$b mkdir $m/tmp/src/d && $b mv $m/tmp/src/a $m/tmp/src/d/b && $b ls /tmp/src/d
$b ln -s d/b $m/tmp/src/l && $b cat $m/tmp/src/l
$b ln $m/tmp/src/d/b $m/tmp/src/h && $b stat -c %h $m/tmp/src/h
$b chmod 640 $m/tmp/src/h && $b stat -c %a /tmp/src/h
$b touch -d "2001-02-03 04:05:06" $m/tmp/src/h && $b stat -c %Y /tmp/src/h
$b truncate -s 3 $m/tmp/src/h && $b cat /tmp/src/h && echo
$b dd if=/dev/urandom of=$m/tmp/src/big bs=64k count=48 2>/dev/null
$b cmp /tmp/src/big $m/tmp/src/big && $b stat -c %s /tmp/src/big
$b rm -r $m/tmp/src/d $m/tmp/src/l $m/tmp/src/h $m/tmp/src/big && $b ls /tmp/src
end umount $m

# The same over /proc/self/fd, and all that its files can do.
begin passthrough_ll tmp -o source=/,xattr,flock,allow_other,default_permissions $m
echo text >$m/tmp/src/a
$b cat /tmp/src/a
$b mkdir $m/tmp/src/d && $b mv $m/tmp/src/a $m/tmp/src/d/b && $b ls /tmp/src/d
$b ln -s d/b $m/tmp/src/l && $b cat $m/tmp/src/l
$b ln $m/tmp/src/d/b $m/tmp/src/h && $b stat -c %h $m/tmp/src/h
$b truncate -s 3 $m/tmp/src/h && $b cat /tmp/src/h && echo
$b ls $m/tmp/src
$b stat -f -c %l $m/tmp/src
$b dd if=/dev/urandom of=$m/tmp/src/big bs=64k count=48 2>/dev/null
$b cmp /tmp/src/big $m/tmp/src/big && $b stat -c %s /tmp/src/big
$b rm -r $m/tmp/src/d $m/tmp/src/l $m/tmp/src/h $m/tmp/src/big && $b ls /tmp/src
/tmp/storage $m/tmp/src >/tmp/storage.out
$b grep -v "^ok" /tmp/storage.out
$b grep -c "^ok" /tmp/storage.out
end umount $m

# Four clients at once: the driver makes threads, and nothing is taken away under them.
begin passthrough tmp $m
for client in 1 2 3 4; do
	(
		for round in 1 2 3 4 5; do
			echo $client >$m/tmp/src/$client.$round
			$b cat $m/tmp/src/$client.$round >>/tmp/read.$client
			$b mv $m/tmp/src/$client.$round $m/tmp/src/$client.moved
			$b rm $m/tmp/src/$client.moved
		done
	) &
	clients="$clients $!"
done
wait $clients
$b cat /tmp/read.? | $b sort | $b uniq -c | $b sed 's/  *//'
$b ls /tmp/src
end umount $m
