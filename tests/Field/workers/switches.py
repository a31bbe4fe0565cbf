# Compares the result of connections.py with the switches in the daemon's log, which has a line for each change of the table.
#   switches.py RESULT-FILE LOG-FILE
# A switch: from its time on all new connections go to one generation. Exits with 1 if a connection that began later than 5 ms after
# a switch was answered by an earlier generation.
import datetime
import re
import sys

GRACE = 0.005
switches = {}
for line in open(sys.argv[2]):
    said = re.search(r'"@t":"([^"]*)".*new \w+ go to generation ([1-9]\d*) \(100 %\)', line)
    if said:
        at = datetime.datetime.fromisoformat(re.sub(r'(\.\d{6})\d*Z', r'\1+00:00', said[1]))
        switches.setdefault(int(said[2]), at.timestamp())
late, answers, slowest = [], 0, 0.0
for line in open(sys.argv[1]):
    began, connected, answered, generation = (float(word) for word in line.split()[:4])
    answers += 1
    after = [at for later, at in switches.items() if later > generation]
    if after:
        if began > min(after) + GRACE:
            late.append(line)
        slowest = max(slowest, answered - min(after))
print(f'{answers} answers, {len(switches)} switches, {len(late)} late; the last answer of an old generation came '
      f'{slowest * 1000:.1f} ms after its switch')
sys.exit(1 if late or len(switches) < 2 else 0)
