# Mounts of who is not root, by fusermount3. Run by test_libfuse.py.
b=/bin/busybox
m=/home/user/m
$b mkdir /home/user $m && $b chown 1000:1000 /home/user $m

# begin ARGUMENTS...: the user's driver, once its file can be read.
begin() {
	echo "== $*"
	su user -c "exec /tmp/drivers/hello -f $* $m" 2>/tmp/stderr &
	pid=$!
	tries=0
	until su user -c "cat $m/hello" 2>/dev/null; do
		tries=$((tries + 1))
		$b test $tries = 100 && echo "no hello" && break
		$b kill -0 $pid 2>/dev/null || break
		$b usleep 10000
	done
}

ended() {
	wait $pid
	echo "ended with $?"
	$b grep fusermount3 /tmp/stderr
	$b grep " $m " /etc/mtab
}

begin -s
$b grep " $m " /etc/mtab
$b cat $m/hello 2>&1
su user -c "umount $m" 2>&1
su nobody -s /bin/sh -c "fusermount3 -u $m" 2>&1
su user -c "fusermount3 -u $m"
ended

begin -s -o allow_other
ended

echo user_allow_other >>/etc/fuse.conf
begin -s -o allow_other,default_permissions
$b cat $m/hello
$b grep " $m " /etc/mtab
su user -c "fusermount3 -uz $m"
ended

# Whose driver is killed is taken down by who mounted it, if root may look at it.
begin -s -o auto_unmount,allow_other
$b kill -9 $pid
wait $pid
echo "ended with $?"
tries=0
while $b grep -q " $m " /etc/mtab; do
	tries=$((tries + 1))
	$b test $tries = 500 && echo "still there" && umount $m && break
	$b usleep 10000
done

# Root's is nobody else's to end.
/tmp/drivers/hello -f -s -o allow_other $m &
pid=$!
until $b test -e $m/hello; do $b usleep 10000; done
su user -c "fusermount3 -u $m" 2>&1
umount $m
ended
