# Copies the log, and adds one line for each recipient at the end of each attempt. Courier itself logs several lines for
# each mail exchanger. Only the last line of an attempt says that the attempt is over, and it names the message but no
# recipient. If the lines of a recipient differ, a failure replaces a deferral, as in Courier's queue, and a success
# replaces both.
{ print }
match($0, / id=[^,]*,from=<[^>]*>,addr=<[^>]*>/) {
  said = substr($0, RSTART + RLENGTH)
  split(substr($0, RSTART + 4, RLENGTH - 5), part, /,(from|addr)=</)
  id = part[1]
  to = part[3]
  if (match(said, /,status: [a-z]+$/)) {
    now = substr(said, RSTART + 9)
    if (!((id, to) in status)) recipients[id] = recipients[id] " " to
    if (status[id, to] != "failure" || now == "success") {
      status[id, to] = now
      why[id, to] = reason[id, to]
    }
  } else if (match(said, /: /)) reason[id, to] = substr(said, RSTART + 2)
}
match($0, /courierd: completed,id=/) {
  id = substr($0, RSTART + RLENGTH)
  n = split(recipients[id], each, " ")
  for (i = 1; i <= n; i++) {
    to = each[i]
    print "attempt: id=" id ",addr=<" to ">,status: " status[id, to] ": " why[id, to]
    delete status[id, to]
    delete reason[id, to]
    delete why[id, to]
  }
  delete recipients[id]
}
