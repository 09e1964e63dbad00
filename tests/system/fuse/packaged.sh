# Drivers of others, on images that the host made; libfuse 2 and what is built on it. Run by
# test_packaged_drivers.py, which reads what is printed between two lines of "== NAME".
. /tmp/serve.sh
m=/tmp/m
d=/tmp/drivers
$b mkdir -p $m /tmp/src

echo "== erofsfuse"
begin $m $d/erofsfuse -f /tmp/erofs.img $m
$b ls $m $m/folder
$b md5sum <$m/folder/random
$b md5sum <$m/text
$b readlink $m/link
$b stat -c "%a %s" $m/folder/random
$b touch $m/text 2>/dev/null && echo written
end $m $pid

echo "== ntfs-3g"
begin $m $d/ntfs-3g -o no_detach /tmp/ntfs.img $m
$b mkdir $m/folder
echo "some text" >$m/folder/größe.txt
$b cp /tmp/random $m/random
$b cmp /tmp/random $m/random && echo same
$b mv $m/random "$m/folder/Random bytes"
$b ln $m/folder/größe.txt $m/second
$b stat -c "%h %s" $m/second
i=0
while $b test $i -lt 40; do
	echo $i >"$m/number $i"
	i=$((i + 1))
done
$b rm "$m/number 7"
$b ls $m | $b wc -l
$b rm $m/number*
$b truncate -s 5 $m/second
$b cat $m/folder/größe.txt && echo
$b sync
end $m $pid
begin $m $d/ntfs-3g -o no_detach,ro /tmp/ntfs.img $m
(cd $m && $b find . | $b sort)
$b cmp /tmp/random "$m/folder/Random bytes" && echo same
end $m $pid

echo "== bindfs"
echo text >/tmp/src/a
$b chmod 644 /tmp/src/a
begin $m $d/bindfs -f --force-user=1000 --force-group=1001 --perms=o-r --create-with-perms=0600 /tmp/src $m
$b stat -c "%u %g %a" $m/a
$b cat $m/a
echo more >$m/b
$b stat -c "%u %g %a" /tmp/src/b
$b mv $m/b $m/c && $b cat /tmp/src/c
$b cp /tmp/random $m/random && $b cmp /tmp/random /tmp/src/random && echo same
$b rm $m/a $m/c $m/random && $b ls /tmp/src
end $m $pid
begin $m $d/bindfs -f -r /tmp/src $m
$b touch $m/a 2>&1
end $m $pid

echo "== libfuse 2"
begin $m $d/hello2 -f $m
$b ls $m
$b cat $m/hello
end $m $pid
begin $m $d/hello2_ll -f -s $m
$b cat $m/hello
end $m $pid
for driver in fusexmp fusexmp_fh; do
	begin $m $d/$driver -f $m
	echo text >$m/tmp/src/a
	$b mkdir $m/tmp/src/d && $b mv $m/tmp/src/a $m/tmp/src/d/b && $b ls /tmp/src/d
	$b ln -s d/b $m/tmp/src/l && $b cat $m/tmp/src/l
	$b ln $m/tmp/src/d/b $m/tmp/src/h && $b stat -c %h $m/tmp/src/h
	$b chmod 640 $m/tmp/src/h && $b stat -c %a /tmp/src/h
	$b cp /tmp/random $m/tmp/src/random && $b cmp /tmp/random /tmp/src/random && echo same
	$b rm -r $m/tmp/src/d $m/tmp/src/l $m/tmp/src/h $m/tmp/src/random && $b ls /tmp/src
	end $m $pid
done
