# Shell loop: arithmetic, tests, strings and functions of the shell itself; no program is started. Prints a sum.
add() {
  sum=$(((sum + $1) % 65521))
}
i=0 sum=1 text=
while [ $i -lt "$1" ]; do
  i=$((i + 1))
  case $i in
    *7) add $((i * 3)) ;;
    *) add ${#text} ;;
  esac
  text=$text$sum
  [ ${#text} -lt 60 ] || text=${text#??????????????????????????????}
done
echo $sum
