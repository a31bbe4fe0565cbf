# listend: listeners that outlive the processes which serve them. "make help" lists the targets.

RID         ?= linux-$(shell uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
PREFIX      ?= /usr/local
SYSCONFDIR  ?= /etc
UNITDIR     ?= /etc/systemd/system
USERUNITDIR ?= /etc/systemd/user
LIBDIR      ?= $(PREFIX)/lib
DESTDIR     ?=
OUT         := artifacts/publish
# Its listend runs on this machine and prints the schema. OUT may hold executables for another machine.
HOSTBIN     ?= $(OUT)
DOTNET      ?= dotnet
STEP        := tests/step
# One compiler server for all projects: to start the compiler for each takes longer than most of them.
COMPILING   := -p:UseSharedCompilation=true
export DOTNET_CLI_TELEMETRY_OPTOUT = 1
export DOTNET_NOLOGO = 1

SOURCES     := docs/reference/openapi.json $(shell find src -name obj -prune -o -name bin -prune -o \( -name '*.cs' -o -name '*.csproj' -o -name '*.c' -o -name '*.h' -o -name '*.targets' -o -path '*/Web/Page/*' \) -print)
PROGRAMS    := $(wildcard packaging/publish.* packaging/examples/hello/*.cs* packaging/demo/*.cs* tests/Load/*.cs*)
SHARED      := Directory.Build.props Directory.Build.targets Directory.Packages.props global.json

.DEFAULT_GOAL := help
.PHONY: help demo picture run dev pack packages build test coverage bench bench-systemd publish install install-files uninstall deb manual clean format prerequisites

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: publish ## show restarts, a failed deploy and a killed worker under load; exits when done
	$(DOTNET) $(OUT)/demo/demo.dll --bin $(OUT)

picture: publish ## run the demo and draw its end: docs/images/demo.svg
	$(DOTNET) $(OUT)/demo/demo.dll --bin $(OUT) > packaging/demo/recorded.txt
	packaging/demo/picture < packaging/demo/recorded.txt > docs/images/demo.svg

demo-%: publish ## demo-NAME: restart one program of packaging/examples by its own hand-off (node, nginx, haproxy...)
	LISTEND_BIN=$(CURDIR)/$(OUT) packaging/examples/$*/run

dev: prerequisites ## build for the JIT and run; again in another terminal: replace that daemon and its workers by the new build
	packaging/dev

pack: prerequisites ## build the NuGet package for .NET workers in artifacts/packages
	@$(STEP) "packing Supervisor.Client" $(DOTNET) pack src/Supervisor.Client -c Release -o artifacts/packages --nologo -v minimal

run: publish ## run the demo's daemon until Ctrl-C
	$(DOTNET) $(OUT)/demo/demo.dll --bin $(OUT) --stay

# Of the whole solution, for the processor of this machine alone.
packages: prerequisites
	@$(STEP) "getting the packages" $(DOTNET) restore Supervisor.sln --nologo -v quiet -p:PackRuntime=$(RID)

build: prerequisites ## compile everything; warnings are errors
	@$(STEP) "building with analyzers" $(DOTNET) build Supervisor.sln -c Release --nologo -v minimal $(COMPILING)

test: prerequisites ## run all tests: formatting, unit, kernel, end-to-end, systemd and packaging
	tests/run $(TESTS)

coverage: prerequisites ## measure the line coverage of the unit suites for each project; report in artifacts/coverage
	tests/coverage

bench-systemd: publish ## measure replacements of a worker, and connections with a process each, by listend and by systemd in a container
	tests/Systemd/run replacement connections

bench: prerequisites publish artifacts/bench/listend-probe ## measure listend next to yardsticks in C; BENCH=micro runs the micro-benchmarks
	$(DOTNET) run -c Release --project tests/Bench -- $(BENCH)

artifacts/bench/listend-probe: $(SOURCES) $(SHARED) | prerequisites
	@$(STEP) "publishing listend-probe" $(DOTNET) publish tests/Bench.Probe -c Release -r $(RID) -o artifacts/bench --nologo -v minimal
	@touch $@

publish: $(OUT)/listend $(OUT)/listenctl $(OUT)/hello $(OUT)/demo/demo.dll ## build NativeAOT executables in artifacts/publish

# All programs in one build, which compiles what they share once. Analyzers run in "make build". The symbols for a native debugger,
# 100 MB, take 15 s: "make publish SYMBOLS=true".
SYMBOLS     ?= false
$(OUT)/listend $(OUT)/listenctl $(OUT)/hello $(OUT)/demo/demo.dll &: $(SOURCES) $(PROGRAMS) $(SHARED) | prerequisites
	@$(STEP) "getting the packages" $(DOTNET) restore packaging/publish.slnf --nologo -v quiet -p:PackRuntime=$(RID)
	@$(STEP) "publishing listend, listenctl, hello and demo" $(DOTNET) msbuild packaging/publish.proj -m:4 -nologo -v:minimal \
	    -p:RuntimeIdentifier=$(RID) -p:PublishRoot=$(abspath $(OUT)) $(COMPILING) -p:NativeDebugSymbols=$(SYMBOLS)
	@touch $(OUT)/listend $(OUT)/listenctl $(OUT)/hello $(OUT)/demo/demo.dll

prerequisites:
	@command -v $(DOTNET) >/dev/null || { echo "listend needs the .NET 10 SDK: https://dotnet.microsoft.com/download/dotnet/10.0"; exit 1; }
	@command -v cc >/dev/null || { echo "listend needs a C compiler: apt-get install -y gcc libc6-dev zlib1g-dev"; exit 1; }

install: publish install-files ## install into PREFIX (/usr/local) with units, man pages and completions; respects DESTDIR

# Alone: what "make deb" packs.
install-files:
	install -D -m 0755 $(OUT)/listend $(DESTDIR)$(PREFIX)/bin/listend
	install -D -m 0755 $(OUT)/listenctl $(DESTDIR)$(PREFIX)/bin/listenctl
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(USERUNITDIR)
	for unit in listend.service listend@.service; do \
	    sed 's#@PREFIX@#$(PREFIX)#g; s#@SYSCONFDIR@#$(SYSCONFDIR)#g' "units/$$unit.in" > "$(DESTDIR)$(UNITDIR)/$$unit" && chmod 0644 "$(DESTDIR)$(UNITDIR)/$$unit" || exit 1; \
	done
	install -m 0644 units/listend.socket $(DESTDIR)$(UNITDIR)/listend.socket
	sed 's#@PREFIX@#$(PREFIX)#g' units/user/listend.service.in > $(DESTDIR)$(USERUNITDIR)/listend.service
	chmod 0644 $(DESTDIR)$(USERUNITDIR)/listend.service
	find docs -name '*.md' -exec sh -c 'for page; do install -D -m 0644 "$$page" "$(DESTDIR)$(PREFIX)/share/doc/listend/$$page"; done' sh {} +
	install -m 0644 README.md CHANGELOG.md SECURITY.md $(DESTDIR)$(PREFIX)/share/doc/listend
	install -D -m 0644 units/unprivileged.conf $(DESTDIR)$(PREFIX)/share/doc/listend/examples/unprivileged.conf
	install -D -m 0644 units/steering.conf $(DESTDIR)$(PREFIX)/share/doc/listend/examples/steering.conf
	install -D -m 0644 units/network-namespace.conf $(DESTDIR)$(PREFIX)/share/doc/listend/examples/network-namespace.conf
	install -D -m 0644 packaging/sysusers.d/listend.conf $(DESTDIR)$(LIBDIR)/sysusers.d/listend.conf
	install -D -m 0644 packaging/tmpfiles.d/listend.conf $(DESTDIR)$(LIBDIR)/tmpfiles.d/listend.conf
	install -D -m 0644 packaging/man/listend.8 $(DESTDIR)$(PREFIX)/share/man/man8/listend.8
	install -D -m 0644 packaging/man/listenctl.1 $(DESTDIR)$(PREFIX)/share/man/man1/listenctl.1
	install -D -m 0644 packaging/man/listend.toml.5 $(DESTDIR)$(PREFIX)/share/man/man5/listend.toml.5
	install -D -m 0644 packaging/completions/listenctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/listenctl
	ln -sf listenctl $(DESTDIR)$(PREFIX)/share/bash-completion/completions/listend
	install -D -m 0644 packaging/completions/listenctl.zsh $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_listenctl
	install -D -m 0644 packaging/completions/listenctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/listenctl.fish
	ln -sf listenctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/listend.fish
	install -d $(DESTDIR)$(LIBDIR)/systemd/catalog $(DESTDIR)$(PREFIX)/share/listend $(DESTDIR)$(SYSCONFDIR)/apparmor.d $(DESTDIR)$(SYSCONFDIR)/listend
	packaging/catalog/generate $(PREFIX)/share/doc/listend/docs > $(DESTDIR)$(LIBDIR)/systemd/catalog/listend.catalog
	$(HOSTBIN)/listend schema > $(DESTDIR)$(PREFIX)/share/listend/listend.schema.json
	chmod 0644 $(DESTDIR)$(LIBDIR)/systemd/catalog/listend.catalog $(DESTDIR)$(PREFIX)/share/listend/listend.schema.json
	sed 's#@PREFIX@#$(PREFIX)#g' packaging/apparmor/listend > $(DESTDIR)$(SYSCONFDIR)/apparmor.d/listend
	chmod 0644 $(DESTDIR)$(SYSCONFDIR)/apparmor.d/listend
	if [ -d packaging/monitoring ]; then \
	    find packaging/monitoring -type f ! -name '*.test.yml' -exec sh -c 'for file; do install -D -m 0644 "$$file" "$(DESTDIR)$(PREFIX)/share/listend/$${file#packaging/}"; done' sh {} +; \
	fi
	cd packaging && find fleet -type f -exec sh -c 'for file; do install -D -m "$$(test -x "$$file" && echo 0755 || echo 0644)" \
	    "$$file" "$(DESTDIR)$(PREFIX)/share/listend/$$file"; done' sh {} +
	test -e $(DESTDIR)$(SYSCONFDIR)/listend/listend.toml || { sed 's#@PREFIX@#$(PREFIX)#g' packaging/listend.toml \
	    > $(DESTDIR)$(SYSCONFDIR)/listend/listend.toml && chmod 0644 $(DESTDIR)$(SYSCONFDIR)/listend/listend.toml; }

uninstall: ## remove the installed files except the configuration
	rm -f $(DESTDIR)$(PREFIX)/bin/listend $(DESTDIR)$(PREFIX)/bin/listenctl
	rm -f $(DESTDIR)$(UNITDIR)/listend.service $(DESTDIR)$(UNITDIR)/listend@.service $(DESTDIR)$(UNITDIR)/listend.socket $(DESTDIR)$(USERUNITDIR)/listend.service
	rm -f $(DESTDIR)$(LIBDIR)/sysusers.d/listend.conf $(DESTDIR)$(LIBDIR)/tmpfiles.d/listend.conf
	rm -f $(DESTDIR)$(PREFIX)/share/man/man8/listend.8 $(DESTDIR)$(PREFIX)/share/man/man1/listenctl.1 $(DESTDIR)$(PREFIX)/share/man/man5/listend.toml.5
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/listenctl $(DESTDIR)$(PREFIX)/share/bash-completion/completions/listend
	rm -f $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_listenctl $(DESTDIR)$(PREFIX)/share/doc/listend/examples/unprivileged.conf \
	    $(DESTDIR)$(PREFIX)/share/doc/listend/examples/network-namespace.conf \
	    $(DESTDIR)$(PREFIX)/share/doc/listend/examples/steering.conf
	rm -f $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/listenctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/listend.fish
	rm -f $(DESTDIR)$(LIBDIR)/systemd/catalog/listend.catalog $(DESTDIR)$(SYSCONFDIR)/apparmor.d/listend
	rm -f $(DESTDIR)$(PREFIX)/share/doc/listend/README.md $(DESTDIR)$(PREFIX)/share/doc/listend/CHANGELOG.md $(DESTDIR)$(PREFIX)/share/doc/listend/SECURITY.md
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/listend/docs $(DESTDIR)$(PREFIX)/share/listend

deb: publish ## build the Debian package in artifacts/deb
	packaging/deb/build $(OUT) artifacts/deb

# Releases: docs/how-to/release.md. The key signs the checksums.
VERSION      ?=
MINISIGN_KEY ?=
GPG_KEY      ?=
.PHONY: release test-release

release: prerequisites ## build every package, reproducibly, in artifacts/release; VERSION=1.2.3 MINISIGN_KEY=FILE GPG_KEY=ID
	@VERSION="$(VERSION)" MINISIGN_KEY="$(MINISIGN_KEY)" GPG_KEY="$(GPG_KEY)" packaging/release/build artifacts/release

test-release: prerequisites build publish ## build a release twice, and install, use, upgrade and remove each package
	tests/Release/run $(TESTS)

manual: prerequisites ## regenerate the man pages and docs/reference/openapi.json from the tables of the parsers
	$(DOTNET) run --project packaging/manual -v quiet -- packaging/man docs/reference/openapi.json

format: ## format the sources
	$(DOTNET) format whitespace . --folder --include src/ tests/ packaging/

clean: ## remove build output
	rm -rf artifacts
	find src tests packaging -depth \( -name bin -o -name obj \) -type d -exec rm -rf {} +
