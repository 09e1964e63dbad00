# What bash has beyond the standard.
exec 2>&1
cd /tmp; a=(one "two words" three); a[5]=six; echo "${a[@]}" "${#a[@]}" "${!a[@]}" "${a[@]:1:2}"
declare -A m=([k]=v [x]=y); for k in k x; do echo "$k=${m[$k]}"; done
coproc { while read line; do echo "co $line"; done; }
echo hi >&${COPROC[1]}; read -u ${COPROC[0]} answer; echo "$answer"; eval "exec ${COPROC[1]}>&-"; wait $COPROC_PID; echo $?
s="hello world"; echo "${s^^}" "${s/o/0}" "${s#* }" "${s:2:3}" "${#s}"; printf '%q\n' "a b"
f() { local -n r=$1; r=changed; }; v=old; f v; echo $v
while read -r x y; do echo "$y $x"; done <<< "1 2"
echo {1..5} {a..c}{1,2}; [[ abc =~ ^a(.)c$ ]] && echo "${BASH_REMATCH[1]}"; echo $((2**10)) $((16#ff))
trap 'echo int' INT; kill -INT $$; trap 'echo debug exit' EXIT
set -o pipefail; false | true; echo ${PIPESTATUS[@]} $?; mapfile -t lines <<< $'a\nb'; echo "${lines[1]}"
( exit 3 ) & wait $!; echo $?; sleep() { echo fake; }; sleep; unset -f sleep; echo $BASHPID | $BUSYBOX grep -c . ; jobs; echo end
for ((i=0;i<3;i++)); do echo -n "$i "; done; echo; select w in x y; do echo $w; break; done <<< 2 2>/dev/null
shopt -s extglob
case aab in +(a)b) echo ext;; esac
