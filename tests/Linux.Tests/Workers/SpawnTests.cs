using System.Globalization;
using CsCheck;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>The attributes of a child, as it sees them.</summary>
public class SpawnTests(Probe probe) : KernelTest, IClassFixture<Probe>
{
    private const int LimitCore = 4;
    private const int LimitNoFile = 7;

    [Fact]
    public void The_child_gets_arguments_and_environment_unchanged()
    {
        var report = probe.Run(plan => plan with
        {
            Arguments = ["a name of its own", "1", "", "two words", "--x=\"y\"", "\u00e9\u4e16\U0001f642", new string('l', 1500)],
            Environment = ["MODE=production", "EMPTY=", "TEXT=\u00e9\u4e16\U0001f642 = x"],
        });
        Assert.Equal(
            ["a name of its own", "1", "", "two words", "--x=\"y\"", "\u00e9\u4e16\U0001f642", new string('l', 1500)],
            report.All("arg").OrderBy(pair => int.Parse(pair.Key, CultureInfo.InvariantCulture)).Select(pair => pair.Value));
        Assert.Equal(
            new Dictionary<string, string> { ["MODE"] = "production", ["EMPTY"] = "", ["TEXT"] = "\u00e9\u4e16\U0001f642 = x" },
            report.All("env"));
    }

    [Fact]
    public void Pid_variables_contain_the_childs_pid()
    {
        var report = probe.Run(plan => plan with { Environment = ["LISTEN_FDS=1"], PidVariables = ["LISTEN_PID", "WATCHDOG_PID"] });
        var pid = report.Pid.ToString(CultureInfo.InvariantCulture);
        Assert.Equal(pid, report["pid"]);
        Assert.Equal(
            new Dictionary<string, string> { ["LISTEN_FDS"] = "1", ["LISTEN_PID"] = pid, ["WATCHDOG_PID"] = pid },
            report.All("env"));
    }

    [Fact]
    public void The_child_leads_its_own_session_with_default_signals()
    {
        var report = probe.Run(plan => plan);
        Assert.Equal((report["pid"], report["pid"]), (report["sid"], report["pgid"]));
        foreach (var mask in new[] { "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt" })
        {
            Assert.Equal("0000000000000000", report["status." + mask]);
        }
    }

    [Fact]
    public void Only_the_named_descriptors_are_open_in_the_child()
    {
        using var leaky = Loopback.Socket(2, 1);
        Libc.SetCloseOnExec(leaky, closes: false);
        var report = probe.Run(plan => plan);
        Assert.Equal(["0", "1", "2"], report.All("fd").Keys.Order());
        Assert.All(report.All("fdflags").Values, flags => Assert.Equal("0", flags));
    }

    /// <summary>
    /// Any mapping: sources on numbers that others must get, in any order, repeated, or with high numbers. A table moves the
    /// sources to fixed numbers, because the kernel chooses the numbers.
    /// </summary>
    [Fact]
    public void Every_descriptor_has_its_number_in_the_child() => Gen.Int[0, 9].Array[3, 14].Sample(
        choices =>
        {
            using var pool = new Pool(10);
            AssertPlaced(choices.Select(choice => pool[choice]).ToList());
        },
        iter: 40, threads: 1);

    /// <summary>The worst cases: descriptors 3, 4 and 5 of this process belong to the runtime and are sources too.</summary>
    [Theory]
    [InlineData(0, 1, 2, 3, 4, 5)]
    [InlineData(5, 4, 3, 2, 1, 0)]
    [InlineData(1, 2, 3, 4, 5, 0)]
    [InlineData(3, 3, 3, 3, 3, 3)]
    [InlineData(1, 0, 3, 2, 5, 4)]
    [InlineData(4, 4, 4, 4, 0, 4)]
    public void Descriptors_with_each_others_numbers_are_swapped(params int[] sources)
    {
        // Not owned here: the child gets whatever has these numbers and does not use it.
        var borrowed = sources.Select(number => new DescriptorHandle(number)).ToList();
        try
        {
            AssertPlaced(borrowed);
        }
        finally
        {
            borrowed.ForEach(handle => handle.SetHandleAsInvalid());
        }
    }

    /// <summary>Children start at the same time: what belongs to one must not reach another.</summary>
    [Fact]
    public void Concurrent_spawns_each_start_the_requested_program()
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        for (var round = 0; round < 20; round++)
        {
            var begun = new List<(LaunchedProcess Child, DescriptorHandle Output)>();
            ChildProcess.Expect(ChildProcess.MaxConcurrent);
            for (var i = 0; i < ChildProcess.MaxConcurrent + 8; i++)
            {
                Assert.Null(Files.Pipe(out var reader, out var writer));
                var end = writer!;
                var number = i.ToString(CultureInfo.InvariantCulture);
                var child = ChildProcess.Start(
                    new ChildProcess.Plan
                    {
                        Path = i == 3 ? "/no/such/program" : "/bin/sh",
                        Arguments = ["sh", "-c", "echo $NUMBER $1 $$ $LISTEN_PID $(id -u); ulimit -c", "sh", number],
                        Environment = ["PATH=/usr/bin:/bin", "NUMBER=" + number],
                        PidVariables = ["LISTEN_PID"],
                        Descriptors = [nothing, end, end],
                        Owned = [end],
                        Uid = (uint)(60000 + i),
                        Gid = 60000,
                        Groups = [],
                        Limits = [(LimitCore, (ulong)i * 512, (ulong)i * 512, false)],
                    },
                    out _);
                Assert.NotNull(child);
                begun.Add((child, reader!));
            }

            ChildProcess.Finish();

            for (var i = 0; i < begun.Count; i++)
            {
                using var output = begun[i].Output;
                using var child = begun[i].Child;
                var written = Child.ReadToEnd(output);
                Assert.True(child.TryGetOutcome(out var failure));
                var exit = Child.End(new Child.Started(child.Pid, child.Pidfd));
                if (i == 3)
                {
                    Assert.Equal(new ChildProcess.Failure(SpawnStage.Exec, 2, (int)ExecDetail.Absent), failure);
                    Assert.Equal(("", 127), (written, exit.Status));
                    continue;
                }

                Assert.Null(failure);
                Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{i} {i} {child.Pid} {child.Pid} {60000 + i}\n{i}\n"), written);
                Assert.Equal(new Processes.Exit(false, 0, false), exit);
            }

            Assert.True(Libc.IsDumpable);
        }
    }

    /// <summary>
    /// The worker's user stops it when it has just changed to that user, before its program. The daemon does not wait, and at
    /// no moment does the child share our memory (kcmp(2), KCMP_VM).
    /// </summary>
    [Fact]
    public void A_child_stopped_before_its_exec_blocks_nothing()
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        using var stop = new CancellationTokenSource();
        var shared = 0;
        var stopped = 0;
        var watched = new System.Collections.Concurrent.ConcurrentDictionary<int, byte>();
        var attacker = new Thread(() => KernelThread.AsNobody(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                foreach (var pid in watched.Keys)
                {
                    stopped += Processes.Kill(pid, 19) is null ? 1 : 0;
                }
            }
        }));
        var monitor = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                foreach (var pid in watched.Keys.Where(pid => Files.GetStatus($"/proc/{pid}", out var status) is null && status.Uid != 0))
                {
                    shared += Libc.SharesMemory(pid) ? 1 : 0;
                }
            }
        });
        attacker.Start();
        monitor.Start();
        var children = new List<LaunchedProcess>();
        try
        {
            for (var i = 0; i < 200; i++)
            {
                var child = ChildProcess.Start(new()
                {
                    Path = "/bin/true",
                    Arguments = ["true"],
                    Environment = [],
                    Descriptors = [nothing, nothing, nothing],
                    Uid = 65534,
                    Gid = 65534,
                    Groups = []
                }, out _);
                ChildProcess.Finish();
                Assert.NotNull(child);
                children.Add(child);
                watched.TryAdd(child.Pid, 0);
            }
        }
        finally
        {
            foreach (var child in children)
            {
                watched.TryRemove(child.Pid, out _);
            }

            stop.Cancel();
            attacker.Join();
            monitor.Join();
            foreach (var child in children)
            {
                Processes.Signal(child.Pidfd, 9);
                Child.End(new Child.Started(child.Pid, child.Pidfd));
                child.Dispose();
            }
        }

        Assert.Equal(0, shared);
        Assert.True(stopped > 0, "no child was stopped: the test has shown nothing");
    }

    [Fact]
    public void The_bounding_set_equals_the_ambient_set()
    {
        var report = probe.Run(
            plan => plan with { Uid = 65534, Gid = 65534, Groups = [], DropsBoundingSet = true, AmbientCapabilities = 1 << 10 });
        Assert.Equal("0000000000000400", report["status.CapBnd"]);
        Assert.Equal("0000000000000400", report["status.CapEff"]);
    }

    [Fact]
    public void The_search_for_a_program_uses_the_childs_rights()
    {
        using var directory = new TemporaryDirectory();
        File.SetUnixFileMode(directory.Path, (UnixFileMode)0x1C0);
        File.Copy("/bin/false", directory["true"]);
        File.SetUnixFileMode(directory["true"], (UnixFileMode)0x1ED);
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        ChildProcess.Plan plan = new()
        {
            Path = "true",
            SearchPath = $"::/no/such:{directory.Path}:/bin",
            Arguments = ["true"],
            Environment = [],
            Descriptors = [nothing, nothing, nothing]
        };
        Assert.Equal(1, Child.End(Child.Start(plan)).Status);
        Assert.Equal(0, Child.End(Child.Start(plan with { Uid = 65534, Gid = 65534, Groups = [] })).Status);
        Assert.Null(Child.Spawn(plan with { Path = "no-such-program" }, out var failure));
        Assert.Equal(new ChildProcess.Failure(SpawnStage.Exec, 2, (int)ExecDetail.NotFound), failure);
    }

    [Fact]
    public void A_child_can_get_a_thousand_descriptors()
    {
        using var pool = new Pool(1);
        AssertPlaced([.. Enumerable.Repeat(pool[0], 1000)]);
    }

    [Fact]
    public void The_child_gets_the_requested_user_and_groups()
    {
        var report = probe.Run(plan => plan with { Uid = 65534, Gid = 65533, Groups = [7, 8, 4_000_000_000] });
        Assert.Equal("65534\t65534\t65534\t65534", report["status.Uid"]);
        Assert.Equal("65533\t65533\t65533\t65533", report["status.Gid"]);
        Assert.Equal(["7", "8", "4000000000"], report["status.Groups"].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        foreach (var set in new[] { "CapInh", "CapPrm", "CapEff", "CapAmb" })
        {
            Assert.Equal("0000000000000000", report["status." + set]);
        }
    }

    [Fact]
    public void An_empty_group_list_gives_no_groups() =>
        Assert.Equal("", probe.Run(plan => plan with { Uid = 65534, Gid = 65534, Groups = [] })["status.Groups"].Trim());

    /// <summary>The child that changes its user first shares our memory; the effect of that on us is undone.</summary>
    [Fact]
    public void A_spawn_does_not_change_the_daemons_credentials()
    {
        Assert.True(Libc.IsDumpable);

        // SigQ counts the pending signals of all processes of the user.
        static List<string> Status() => [.. File.ReadAllLines("/proc/thread-self/status").Where(line => (line.StartsWith(
            "Sig",
            StringComparison.Ordinal) || line.StartsWith("Cap", StringComparison.Ordinal)) && !line.StartsWith(
                "SigQ",
                StringComparison.Ordinal))];
        var before = Status();
        var mask = Files.SetUmask(0x12);
        Files.SetUmask(mask);
        probe.Run(plan => plan with
        {
            Uid = 65534,
            Gid = 65534,
            Groups = [],
            Umask = 0x3F,
            Nice = 5,
            Directory = "/",
            NoNewPrivileges = true,
            AmbientCapabilities = 1 << 10
        });
        Assert.True(Libc.IsDumpable);
        Assert.Equal(before, Status());
        var after = Files.SetUmask(mask);
        Assert.Equal(mask, after);
        Assert.Equal(0u, Processes.EffectiveUid);
    }

    [Fact]
    public void Only_ambient_capabilities_reach_another_user()
    {
        var report = probe.Run(plan => plan with
        {
            Uid = 65534,
            Gid = 65534,
            Groups = [],
            AmbientCapabilities = Capabilities.Bits(
            ["CAP_NET_BIND_SERVICE", "CAP_NET_RAW"])
        });
        foreach (var set in new[] { "CapInh", "CapPrm", "CapEff", "CapAmb" })
        {
            Assert.Equal("0000000000002400", report["status." + set]);
        }
    }

    [Fact]
    public void The_daemons_own_ambient_capabilities_are_not_passed_on()
    {
        Probe.Report? report = null;
        KernelThread.Run(() => Assert.True(Ambient.Raise(10)), () => report = probe.Run(plan => plan));
        Assert.Equal("0000000000000000", report!["status.CapAmb"]);
    }

    [Fact]
    public void The_child_has_umask_nice_limits_and_no_new_privileges()
    {
        var report = probe.Run(plan => plan with
        {
            Umask = 0x3F,
            Nice = 5,
            Directory = "/usr",
            NoNewPrivileges = true,
            Limits = [(LimitCore, 0, 0, false), (LimitNoFile, 77, 77, false)],
        });
        Assert.Equal(("77", "5", "/usr", "1"), (report["umask"], report["nice"], report["cwd"], report["status.NoNewPrivs"]));
        Assert.Equal(("0:0", "77:77"), (report["limit.4"], report["limit.7"]));
    }

    [Theory]
    [InlineData(77, 99, "77:99")]
    [InlineData(4, 99, "4:99")]
    [InlineData(4, 5, "4:5")]
    [InlineData(4, 4096, "4:4096")]
    public void The_child_has_a_soft_and_a_hard_limit(ulong soft, ulong hard, string expected)
    {
        var report = probe.Run(plan => plan with { Limits = [(LimitNoFile, soft, hard, true), (LimitCore, 0, 512, true)] });
        Assert.Equal((expected, "0:512"), (report["limit.7"], report["limit.4"]));
    }

    [Theory]
    [InlineData(true, "0000000000001000")]
    [InlineData(false, "0000000000000000")]
    public void The_child_ignores_only_SIGPIPE_and_only_on_request(bool ignores, string mask)
    {
        var report = probe.Run(plan => plan with { IgnoreSigpipe = ignores });
        Assert.Equal(mask, report["status.SigIgn"]);
    }

    [Fact]
    public void The_child_inherits_settings_that_are_not_requested()
    {
        var report = probe.Run(plan => plan);
        Assert.Equal("0\t0\t0\t0", report["status.Uid"]);
        Assert.Equal("0", report["status.NoNewPrivs"]);
        Assert.Equal(Environment.CurrentDirectory, report["cwd"]);
    }

    /// <summary>A directory that root can enter and the worker cannot: the worker's rights count.</summary>
    [Fact]
    public void The_child_enters_its_directory_with_the_workers_rights()
    {
        using var directory = new TemporaryDirectory();
        File.SetUnixFileMode(directory.Path, (UnixFileMode)0x1C0);
        Assert.Equal(directory.Path, probe.Run(plan => plan with { Directory = directory.Path })["cwd"]);
        AssertFails(
            SpawnStage.Directory,
            "EACCES",
            plan => plan with { Directory = directory.Path, Uid = 65534, Gid = 65534, Groups = [] });
    }

    public static TheoryData<SpawnStage, string, string> Failures() => new()
    {
        { SpawnStage.Exec, "ENOENT", "missing" },
        { SpawnStage.Exec, "EACCES", "not-executable" },
        { SpawnStage.Exec, "EACCES", "directory" },
        { SpawnStage.Exec, "ENOEXEC", "no-program" },
        { SpawnStage.Exec, "ENOENT", "no-interpreter" },
        { SpawnStage.Exec, "ETXTBSY", "open-for-writing" },
        { SpawnStage.Directory, "ENOENT", "no-such-directory" },
        { SpawnStage.Directory, "ENOTDIR", "no-directory" },
        { SpawnStage.Limit, "EINVAL", "no-such-limit" },
        { SpawnStage.Descriptors, "EBADF", "closed-descriptor" },
        { SpawnStage.Descriptors, "EBADF", "too-few-descriptors" },
        { SpawnStage.Cgroup, "EBADF", "cgroup" },
        { SpawnStage.Capabilities, "EINVAL", "no-such-capability" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_failed_spawn_names_the_step(SpawnStage stage, string errno, string how)
    {
        using var directory = new TemporaryDirectory();
        (string Name, string Text, int Mode)[] programs =
        [
            ("not-executable", "", 0x1A4), ("no-program", "neither", 0x1ED),
            ("no-interpreter", "#!/no/such/interpreter\n", 0x1ED), ("open-for-writing", "", 0x1ED),
        ];
        foreach (var (name, text, mode) in programs)
        {
            File.WriteAllText(directory[name], text);
            File.SetUnixFileMode(directory[name], (UnixFileMode)mode);
        }

        Directory.CreateDirectory(directory["directory"]);
        using var writing = how == "open-for-writing" ? File.OpenWrite(directory[how]) : null;
        using var unwritable = Files.Open("/dev/null", 0, 0, out _)!;
        var closed = new DescriptorHandle(1 << 16);
        closed.SetHandleAsInvalid();
        var failure = AssertFails(stage, errno, plan => stage switch
        {
            SpawnStage.Directory => plan with { Directory = how == "no-directory" ? directory["no-program"] : directory[how] },
            SpawnStage.Limit => plan with { Limits = [(LimitCore, 0, 0, false), (99, 1, 1, false)] },
            SpawnStage.Descriptors when how == "too-few-descriptors" => plan with { Limits = [(LimitNoFile, 2, 2, false)] },
            SpawnStage.Descriptors => plan with { Descriptors = [plan.Descriptors[0], plan.Descriptors[1], closed] },
            SpawnStage.Cgroup => plan with { Cgroup = unwritable },
            SpawnStage.Capabilities => plan with { AmbientCapabilities = 1UL << 63 },
            _ => plan with { Path = directory[how] },
        });
        Assert.Equal(stage switch
        {
            SpawnStage.Limit => 1,
            SpawnStage.Descriptors => 2,
            SpawnStage.Capabilities => 63,
            SpawnStage.Exec => (int)(how switch
            {
                "missing" => ExecDetail.Absent,
                "directory" => ExecDetail.Directory,
                _ => ExecDetail.Present,
            }),
            _ => -1
        }, failure.Detail);
    }

    /// <summary>Without privileges: a user, a group, groups, a lower nice level, a higher hard limit, a capability.</summary>
    [Theory]
    [InlineData(SpawnStage.User)]
    [InlineData(SpawnStage.Group)]
    [InlineData(SpawnStage.Groups)]
    [InlineData(SpawnStage.Nice)]
    [InlineData(SpawnStage.Limit)]
    [InlineData(SpawnStage.Capabilities)]
    public void A_spawn_without_privilege_names_the_refused_step(SpawnStage stage)
    {
        var error = stage == SpawnStage.Nice ? "EACCES" : "EPERM";
        KernelThread.AsNobody(() => AssertFails(stage, error, plan => stage switch
        {
            SpawnStage.User => plan with { Uid = 0 },
            SpawnStage.Group => plan with { Gid = 0 },
            SpawnStage.Groups => plan with { Groups = [0] },
            SpawnStage.Nice => plan with { Nice = -20 },
            SpawnStage.Limit => plan with { Limits = [(LimitNoFile, 1UL << 62, 1UL << 62, false)] },
            _ => plan with { AmbientCapabilities = 1 << 10 },
        }));
    }

    [Fact]
    public void A_thousand_spawns_leave_nothing()
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        for (var i = 0; i < 1000; i++)
        {
            var plan = new ChildProcess.Plan
            {
                Path = i % 4 == 0 ? "/no/such/program" : "/bin/true",
                Arguments = ["true"],
                Environment = ["PATH=/bin"],
                Descriptors = [nothing, nothing, nothing]
            };
            if (i % 4 == 0)
            {
                Assert.Null(Child.Spawn(plan, out var failure));
                Assert.Equal(SpawnStage.Exec, failure.Stage);
            }
            else
            {
                Assert.Equal(new Processes.Exit(false, 0, false), Child.End(Child.Start(plan)));
            }
        }
    }

    /// <summary>The child starts in our memory: other threads and the collector must not affect it, nor it them.</summary>
    [Fact]
    public void Other_threads_can_allocate_during_a_spawn()
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        var stop = false;
        var threads = Enumerable.Range(0, 3).Select(_ => new Thread(() =>
        {
            var kept = new Queue<byte[]>();
            while (!Volatile.Read(ref stop))
            {
                kept.Enqueue(new byte[Random.Shared.Next(100, 10_000)]);
                if (kept.Count > 1000)
                {
                    kept.Clear();
                    GC.Collect(0);
                }
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        try
        {
            for (var i = 0; i < 200; i++)
            {
                Assert.Equal(new Processes.Exit(false, 0, false), Child.End(Child.Start(new()
                {
                    Path = "/bin/true",
                    Arguments = ["true"],
                    Environment = [],
                    Descriptors = [nothing, nothing, nothing],
                    Uid = 65534,
                    Gid = 65534,
                    Groups = []
                })));
            }
        }
        finally
        {
            Volatile.Write(ref stop, true);
            threads.ForEach(thread => thread.Join());
        }
    }

    [Fact]
    public void An_exit_by_signal_differs_from_an_exit_status()
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        var child = Child.Start(
            new() { Path = "/bin/sleep", Arguments = ["sleep", "1000"], Environment = [], Descriptors = [nothing, nothing, nothing] });
        Assert.Null(Processes.PeekExit(child.Pidfd));
        Assert.Null(Processes.Signal(child.Pidfd, 15));
        Libc.WaitFor(child.Pidfd);
        Assert.Equal(new Processes.Exit(true, 15, false), Processes.PeekExit(child.Pidfd));
        Assert.Equal(child.Pid, Processes.PeekAnyExited());
        Assert.Equal(new Processes.Exit(true, 15, false), Child.End(child));
        using var closed = child.Pidfd;
        Assert.Equal("EBADF", Processes.Signal(closed, 15)!.Value.Name);
    }

    private void AssertPlaced(List<DescriptorHandle> descriptors)
    {
        var wanted = descriptors.Select(handle => ProcessDescriptors.LinkOf(handle.Number)).ToList();
        var report = probe.Run(plan => plan, descriptors, reportOn: descriptors.Count);
        var found = report.All("fd");
        Assert.Equal(wanted, Enumerable.Range(0, wanted.Count).Select(number => found[number.ToString(CultureInfo.InvariantCulture)]));
        Assert.Equal(wanted.Count + 1, found.Count);
        Assert.All(report.All("fdflags").Values, flags => Assert.Equal("0", flags));
    }

    private ChildProcess.Failure AssertFails(SpawnStage stage, string errno, Func<ChildProcess.Plan, ChildProcess.Plan> configure)
    {
        using var nothing = Files.Open("/dev/null", 2, 0, out _)!;
        var started = Child.Spawn(
            configure(new() { Path = probe.Path, Arguments = ["probe", "1"], Environment = [], Descriptors = [nothing, nothing, nothing] }),
            out var failure);
        if (started is { } unexpected)
        {
            // Or it would fail all later tests as well.
            Processes.Kill(unexpected.Pid, 9);
            Libc.WaitFor(unexpected.Pidfd);
            Processes.Reap(unexpected.Pidfd);
            unexpected.Pidfd.Dispose();
        }

        Assert.Null(started);
        Assert.Equal((stage, errno), (failure.Stage, ErrnoNames.Name(failure.Errno)));
        Assert.Equal(0, Processes.PeekAnyExited());
        return failure;
    }

    /// <summary>Descriptors that can be distinguished.</summary>
    private sealed class Pool : IDisposable
    {
        private readonly List<DescriptorHandle> _handles = [];

        public Pool(int count)
        {
            for (var i = 0; i < count; i++)
            {
                _handles.Add(Loopback.Socket(1, 1));
            }
        }

        public DescriptorHandle this[int index] => _handles[index];

        public void Dispose() => _handles.ForEach(handle => handle.Dispose());
    }
}
