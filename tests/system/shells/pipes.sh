# Pipes, subshells, substitution, here-documents, traps, jobs, loops: what a shell is made of.
exec 2>&1
b=$BUSYBOX
cd /tmp && rm -rf t_$$ && $b mkdir t_$$ && cd t_$$
echo "pipes:"; echo one two three | $b tr ' ' '\n' | $b sort | $b sed 's/^/- /' | $b cat -n
echo "subshells:"; x=1; (x=2; echo in $x); echo out $x; { echo group; } | $b cat
echo "substitution:"; y=$(echo a; echo b); echo "$y"; echo $(echo $(echo deep))
echo "status:"; $b false; echo $?; (exit 7); echo $?; ! $b true; echo $?; $b sh -c 'kill -TERM $$'; echo $?
$b cat <<EOF
here $x `echo back`
EOF
$b cat <<'EOF'
here $x
EOF
echo "traps:"; trap 'echo usr1' USR1; kill -USR1 $$; trap 'echo leaving' EXIT; trap '' USR2; kill -USR2 $$; echo alive
echo "jobs:"; $b sleep 0.05 & p=$!; wait $p; echo w $?; ($b sleep 0.2 & echo bg); $b true & wait; echo all
for i in 1 2 3; do echo $i; done | while read n; do echo "got $n"; done
i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i = 2 ] && continue; echo loop $i; done
f() { local v=$1; echo "f $v"; return 3; }; f arg; echo $?
case abc in a*) echo case;; esac
