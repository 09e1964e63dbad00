# Our drivers: fatfs on a volume that the host made, memfs beside it. Run by test_drivers.py, which
# reads what is printed and looks at the volume afterwards.
. /tmp/serve.sh
$b mkdir /tmp/fat /tmp/mem

begin /tmp/fat /tmp/drivers/fatfs -f -o umask=027 /tmp/volume /tmp/fat
fat=$pid
begin /tmp/mem /tmp/drivers/memfs -f -o size=16m /tmp/mem
mem=$pid

cd /tmp/fat
$b ls
$b cat "A LONG NAME FROM THE HOST.TEXT"
$b stat -c "%a %s" short.txt
$b mkdir "A directory" "A directory/deeper" gone
$b dd if=/dev/urandom of=/tmp/mem/random bs=64k count=40 2>/dev/null
$b cp /tmp/mem/random "A directory/deeper/Random bytes"
$b cmp /tmp/mem/random "a DIRECTORY/deeper/random BYTES" && echo same
i=0
while $b test $i -lt 40; do
	echo $i >"gone/A name of some length, number $i"
	i=$((i + 1))
done
$b ls gone | $b wc -l
$b mv "gone/A name of some length, number 7" "A directory/größe.txt"
$b rm -r gone
$b mv "A directory/deeper" moved
$b cat "A directory/GRÖßE.TXT"
$b touch -d "2001-02-03 04:05:07" short.txt
$b stat -c %y short.txt
$b truncate -s 1000 short.txt
$b ln -s x y 2>&1
$b chmod a-w short.txt
$b cp moved/* /tmp/random.out
cd /tmp

/tmp/storage /tmp/mem >/tmp/storage.out
$b grep -v "^ok" /tmp/storage.out
$b grep -c "^ok" /tmp/storage.out

# Four clients at once.
for client in 1 2 3 4; do
	(
		for round in 1 2 3 4 5 6 7 8; do
			echo $client >/tmp/mem/$client.$round
			$b cat /tmp/mem/$client.$round >>/tmp/read.$client
			$b mv /tmp/mem/$client.$round /tmp/mem/moved
			$b ls /tmp/mem >/dev/null 2>&1
		done
	) &
	clients="$clients $!"
done
wait $clients
$b cat /tmp/read.? | $b sort | $b uniq -c | $b sed 's/  *//'
$b rm /tmp/mem/random /tmp/mem/moved
$b df -k /tmp/mem | $b awk 'NR == 2 { print $2, $3 }'

end /tmp/fat $fat
end /tmp/mem $mem
