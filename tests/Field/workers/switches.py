# Compares the result of connections.c with the switches in the daemon's log, which has a line for each change of the table.
#   switches.py RESULT-FILE LOG-FILE
# A switch: from its time on all new connections go to one generation. A connection that waited at a socket before the switch may be
# answered by an old worker. Exits with 1 if one that began (the client's connect()) more than 5 ms after a switch was.
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
late, answers, waited, latest, slowest = 0, 0, 0, 0.0, 0.0
for line in open(sys.argv[1]):
    began, _, answered, generation = (float(word) for word in line.split()[:4])
    answers += 1
    switch = min((at for later, at in switches.items() if later > generation), default=None)
    if switch is None or answered < switch:
        continue
    latest = max(latest, began - switch)
    if began > switch:
        late += began > switch + GRACE
    else:
        waited += 1
        slowest = max(slowest, answered - switch)
print(f'{answers} answers, {len(switches)} switches, {late} late; {waited} that had begun before a switch were answered by old workers, '
      f'the last one {slowest * 1000:.1f} ms after it; the last one that began after a switch and went to an old worker began '
      f'{latest * 1000:.2f} ms after it')
sys.exit(1 if late or len(switches) < 2 else 0)
