# Files and filters, each a process of its own.
exec 2>&1
b=$BUSYBOX
cd /tmp && rm -rf t_$$ && $b mkdir t_$$ && cd t_$$
echo "files:"; $b mkdir -p d/e; echo hello > d/e/f; $b ln -s f d/e/l; $b cp d/e/f d/g; $b ls -R d; $b find d -type f | $b sort
$b tar cf - d | (mkdir -p u; cd u; $b tar xf -; $b find . -name f -exec $b cat {} \;)
$b tar cf - d | $b gzip | $b gunzip | $b tar tf - | $b sort
echo "awk:"; $b seq 10 | $b awk '{s += $1; l = l " " $1} END {print s, l; printf "%.3f %s\n", s/3, toupper("x")}'
$b seq 100 | $b head -3; $b seq 100 | $b tail -2; $b yes | $b head -5 | $b wc -l
$b seq 5 | $b xargs -n 2 echo; $b printf '%s|%d\n' a 1 b 2
$b expr 3 + 4; echo 'b a c' | $b grep -o '[a-c]'; $b dd if=/dev/zero bs=1024 count=4 2>/dev/null | $b md5sum
echo 2>&1 err >&2; exec 3>file; echo three >&3; exec 3>&-; $b cat file; set -- p q; shift; echo $1 $#
umask 027; echo x > m; $b stat -c %a m; $b test -f m && echo is; $b basename /a/b; $b date -u -d @0 +%Y
$b timeout 0.1 $b sleep 5; echo timeout $?; $b env -i A=b $b env; $b nice -n 3 $b true; echo $?
ulimit -c; $b kill -l 9; echo done
