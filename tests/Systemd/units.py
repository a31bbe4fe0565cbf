"""Sets of units for the scenario "imported". Each starts the stub by systemd, then, imported, by listend."""

import re

STUB = "/bench/stub"


class Set:
    """Units by file name, other files by path, and folders that "listenctl import" leaves to the administrator.

    "paths" have to get the same owner and mode. "named" has the facts that differ, each with the words by which the import says so.
    "sorts": several sockets, whose order systemd does not define."""

    def __init__(self, units, started=(), files=(), folders=(), paths=(), named=(), sorts=False):
        self.units, self.started = units, started or [unit for unit in units if not unit.endswith(".conf")]
        self.files, self.folders, self.paths, self.named = dict(files), dict(folders), paths, dict(named)
        self.service = next(unit for unit in self.started if unit.endswith(".service"))
        self.name = re.sub("[^A-Za-z0-9_.-]+", "-", self.service.removesuffix(".service"))
        self.sorts = sorts


SETS = {
    "plain": Set({"plain.service": f"""
[Service]
ExecStart={STUB}
"""}),
    "host": Set({"host.service": f"""
[Service]
ExecStart={STUB} %H %l %q %m %b %v %a %o %w %W %B %M %A %%H
Environment=NODE=%p@%H
"""}),
    "continued": Set({"continued.service": f"""
# a comment \\
[Unit]
Description=continued \\
; a comment in between
   lines
[Service]
ExecStart={STUB} one \\
# a comment \\
   ; another
   two\\
three \\\\ $$x
Environment=A=1 \\

Environment=B=2
Environment = C=3
  Environment=D=4
UMask=0077
UMask=
SupplementaryGroups=adm
SupplementaryGroups=
User=nobody
User=
LimitNOFILE=100
LimitNOFILE=
Nice=3
Nice=
"""}),
    "literal": Set({"literal.service": f"""
[Service]
Environment=X=value
ExecStart=:{STUB} $X ${{X}} $$ %% %n '$X' "a b"
"""}),
    "typed-by-prefix": Set({"typed-by-prefix.service": f"""
[Service]
ExecStart={STUB} $A
Environment=A=unit
""", "typed-.service.d/10-a.conf": """
[Service]
Environment=A=typed
Nice=1
""", "typed-by-.service.d/10-a.conf": """
[Service]
Environment=A=typed-by
""", "typed-by-prefix.service.d/05-b.conf": """
[Service]
Environment=B=%p
UMask=0002
"""}),
    "secret": Set({"secret.service": f"""
[Service]
SetCredential=token:x
ExecStart={STUB} --key %d/token ${{CREDENTIALS_DIRECTORY}}/token
"""}),
    "words": Set({"words.service": rf"""
[Service]
ExecStart={STUB} "two words" 'one ''word' a\x20b \; ";" 100%% tab\there -x="y z" '' \u00e4 \101 $$HOME "a\"b" 'it\'s' \
    continued \
    # a comment
    last
"""}),
    "users": Set({"users.service": f"""
[Service]
ExecStart={STUB}
User=daemon
Group=mail
SupplementaryGroups=adm www-data
SupplementaryGroups=games
"""}),
    "group": Set({"group.service": f"""
[Service]
ExecStart={STUB}
Group=mail
"""}),
    "nobody": Set({"nobody.service": f"""
[Service]
ExecStart={STUB}
User=nobody
"""}),
    "homeless": Set({"homeless.service": f"""
[Service]
ExecStart={STUB}
User=_apt
"""}),
    "superuser": Set({"superuser.service": f"""
[Service]
ExecStart={STUB}
User=root
"""}),
    "member": Set({"member.service": f"""
[Service]
ExecStart={STUB}
User=member
"""}),
    "member_of": Set({"member_of.service": f"""
[Service]
ExecStart={STUB}
User=member
Group=games
SupplementaryGroups=adm
"""}),
    "limits": Set({"limits.service": f"""
[Service]
ExecStart={STUB}
User=nobody
LimitNOFILE=2048:8192
LimitCORE=infinity
LimitSTACK=16M
LimitCPU=1h
LimitRTTIME=200ms
LimitSIGPENDING=100
LimitNICE=-5
LimitNPROC=500:1000
LimitFSIZE=1G:infinity
LimitMEMLOCK=64M
"""}),
    "process": Set({"process.service": f"""
[Service]
ExecStart={STUB}
Nice=5
UMask=7
NoNewPrivileges=yes
IgnoreSIGPIPE=no
WorkingDirectory=/var/tmp
LimitNOFILE=infinity
"""}),
    "faster": Set({"faster.service": f"""
[Service]
ExecStart=@{STUB} named -x
User=nobody
Nice=-3
UMask=0077
AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_NET_RAW
WorkingDirectory=-/var/tmp
"""}, named={"argv[0]": "argv[0] cannot be chosen"}),
    "home": Set({"home.service": f"""
[Service]
ExecStart={STUB}
User=member
WorkingDirectory=~
"""}),
    "environment": Set({"environment.service": r"""
[Service]
Environment="ONE=two words" 'TWO=with "quotes"' THREE=first FOUR=$ONE FIVE=\x41\102 "SIX=tab\there" SEVEN="in ner" EIGHT=
Environment=THREE=second TEN=%n:%p:%% NINE=a=b
Environment="ELEVEN=it's"  TWELVE=back\\slash HOME=/own SHELL=/own/sh
Environment=WORD 1BAD=x BAD-NAME=x "CONTROL=a\x01"
UnsetEnvironment=LANG NINE SEVEN=other TEN=environment.service:environment:%%
PassEnvironment=PASSED MISSING
ExecStart=@STUB@
User=nobody
""".replace("@STUB@", STUB)}, named={"$LANG": "for others write"}),
    "environment_file": Set({"environment_file.service": f"""
[Service]
EnvironmentFile=/bench/units/vars
Environment=A=unit B=unit HOME=/unit
EnvironmentFile=-/nowhere/vars
EnvironmentFile=/bench/units/more
ExecStart={STUB}
User=nobody
"""}, files={"/bench/units/vars": r"""
# a comment
; another
A=file
  C = spaces around
D="double \"quoted\" $A \x"
E='single \n quoted'
F=continued \
line
G="over
lines"
H=a#b # c
I=un"quo"ted 'parts'
J=back\slash\\x
K=
export L=x
M="x"y
N=trailing   
""", "/bench/units/more": "C=more\n1BAD=x\nBAD-NAME=x\nO='it''s'\nP=\"a\" \"b\"\n"}),
    "variables": Set({"variables.service": f"""
[Service]
Environment="OPTS=-n 'two words' --x" "PORT=81 82" EMPTY= "BACK=a\\\\ b"
ExecStart={STUB} $OPTS ${{PORT}} $EMPTY ${{EMPTY}} $UNSET ${{UNSET}} a$PORT b${{PORT}}c $$HOME $ $BACK ${{OPTS}} '$OPTS' "x $PORT"
"""}, named={"$PWD": "sets PWD"}),
    "file_variables": Set({"file_variables.service": f"""
[Service]
EnvironmentFile=/bench/units/words
Environment=MORE=unit OVER=unit
ExecStart={STUB} $OPTS ${{OPTS}} $NONE ${{NONE}} x${{OPTS}}y $MORE $OVER "a \\"b" '*' `x`
"""}, files={"/bench/units/words": "OPTS=-a   * $HOME -b\nOVER=file\n"}, named={"$PWD": "sets PWD"}),
    "sockets": Set({"sockets.socket": """
[Socket]
ListenStream=127.0.0.1:9101
FileDescriptorName=front
""", "sockets-more.socket": """
[Socket]
ListenStream=[::1]:9103
ListenSequentialPacket=/run/sockets.seq
ListenDatagram=127.0.0.1:9102
ListenStream=@abstract
FileDescriptorName=more
Service=sockets.service
""", "sockets.service": f"""
[Service]
ExecStart={STUB}
Sockets=sockets.socket sockets-more.socket
User=nobody
[Install]
WantedBy=multi-user.target
"""}, paths=("/run/sockets.seq",), named={"$LISTEN_FDNAMES": "LISTEN_FDNAMES has these names"}, sorts=True),
    "local": Set({"local.socket": """
[Socket]
ListenStream=/run/local/in/local.sock
SocketUser=www-data
SocketMode=0620
DirectoryMode=0750
Accept=no
""", "local.service": f"""
[Service]
ExecStart={STUB}
User=www-data
NonBlocking=yes
[Install]
WantedBy=multi-user.target
"""}, folders={"/run/local/in": ("root", 0o750)}, paths=("/run/local/in/local.sock",),
        named={"$LISTEN_FDNAMES": "LISTEN_FDNAMES has these names"}),
    "stdin": Set({"stdin.socket": """
[Socket]
ListenStream=127.0.0.1:9104
""", "stdin.service": f"""
[Service]
ExecStart={STUB}
StandardInput=socket
StandardOutput=journal
[Install]
WantedBy=multi-user.target
"""}),
    "front": Set({"front.socket": """
[Socket]
ListenStream=9106
BindIPv6Only=both
FileDescriptorName=web
""", "front.service": f"""
[Service]
ExecStart={STUB}
[Install]
WantedBy=multi-user.target
"""}),
    "directories": Set({"directories.service": f"""
[Service]
ExecStart={STUB} ${{STATE_DIRECTORY}} $RUNTIME_DIRECTORY ${{CACHE_DIRECTORY}}/x
StateDirectory=directories directories/more
RuntimeDirectory=directories
CacheDirectory=directories
LogsDirectory=directories
ConfigurationDirectory=directories
WorkingDirectory=%S/%N
User=games
"""}),
    "dynamic": Set({"dynamic.service": f"""
[Service]
ExecStart={STUB}
DynamicUser=yes
User=games
"""}, named={"$HOME": "listend makes no users"}),
    "dropped": Set({"dropped.service": f"""
[Service]
ExecStart={STUB} replaced
Environment=A=unit B=unit
User=daemon
UMask=0027
""", "dropped.service.d/20-command.conf": f"""
[Service]
ExecStart=
ExecStart={STUB} of the drop-in %n
Environment=A=drop-in
User=games
""", "dropped.service.d/30-reset.conf": """
[Service]
UMask=
Environment=
Environment=C=last
"""}),
    "tile": Set({"tile@.socket": """
[Socket]
ListenStream=127.0.0.1:%i
FileDescriptorName=tile
""", "tile@.service": f"""
[Service]
ExecStart={STUB} %n %N %p %P %i %I %j %J %f %t %S %C %L %E %T %V %u %U %g %G %h %s
User=games
[Install]
WantedBy=multi-user.target
"""}, started=["tile@9105.socket", "tile@9105.service"]),
    "escaped": Set({"escaped-part@.service": f"""
[Service]
ExecStart={STUB} %n %N %p %P %i %I %j %J %f
Environment=WHO=%i
"""}, started=[r"escaped-part@srv-a\x2db.service"]),
}
