# zsh's own things, as far as they reach the kernel: pipes and FIFOs behind its substitutions, files
# behind its expansions, jobs, signals, coprocesses.
typeset -A map
map[one]=1; map[two]=2
for key in ${(ko)map}; do print "$key=${map[$key]}"; done
list=(a b c); print $#list ${list[2]} ${(U)list}
print -r -- ${(j:,:)list}
fails() { local word=$1; print "fails has $word"; return 3 }
fails hello; print status $?
$BUSYBOX cat <(print substitution) =(print file)
print {1..5} ${$(print words of a command)[2]}
print pipe | while read line; do print "through a $line"; done
print $pipestatus
false | true; print $pipestatus
mkdir work; cd work; mkdir -p a/b c; print one > a/file; print two > a/b/file; ln -s a/file c/link
print -l **/*(.) c/*(@) **/*(/)
print three >> a/file; wc=($($BUSYBOX wc < a/file)); print $wc
print both > first > second; $BUSYBOX cat first second
coproc $BUSYBOX cat
print -p to and fro; read -p line; print "coprocess: $line"
{ exec {out}>&1; print through descriptor $out >&$out; exec {out}>&- } | $BUSYBOX sed 's/ [0-9]*$//'
$BUSYBOX sleep 0.1 & wait $!; print waited $?
trap 'print trapped' USR1; kill -USR1 $$
$BUSYBOX sh -c 'kill -TERM $$'; print killed $?
TRAPEXIT() { print bye }
