using System.Globalization;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>Children of a common plan that execute their program themselves, without a status socket of their own.</summary>
public class LaunchTemplateTests : KernelTest
{
    [Fact]
    public void Children_of_a_template_have_their_own_variables_and_process_ids()
    {
        using var files = new PinnedProgram("printf '%s %s ' \"$COMMON\" \"$OWN\"; [ \"$LISTEN_PID\" = $$ ] && echo same");
        using var template = files.Template();
        Assert.Equal("all one same\n", files.Run(template, "OWN=one", out var first));
        Assert.Equal("all two same\n", files.Run(template, "OWN=two", out var second));
        Assert.Equal((null, null), (first, second));
        Assert.Null(files.Status);
    }

    [Fact]
    public void A_child_whose_program_was_replaced_executes_the_pinned_one_by_the_launcher()
    {
        using var files = new PinnedProgram("echo pinned");
        using var template = files.Template();
        files.Replace();
        Assert.Equal("pinned\n", files.Run(template, "OWN=one", out var failure));
        Assert.Null(failure);
        Assert.NotNull(files.Status);
        Assert.Equal([PinUse.Descriptor], files.Reports.Select(report => report.Use));
    }

    [Fact]
    public void A_child_reports_by_the_launcher_why_its_program_cannot_be_executed()
    {
        using var files = new PinnedProgram("echo pinned");
        using var template = files.Template();
        files.ForbidExecution();
        Assert.Equal("", files.Run(template, "OWN=one", out var failure));
        Assert.Equal(new ChildProcess.Failure(SpawnStage.Exec, 13, (int)ExecDetail.Present), failure);
    }

    [Fact]
    public void A_child_reports_a_step_before_its_program_without_a_status_socket()
    {
        using var files = new PinnedProgram("echo pinned");
        using var template = files.Template();
        Assert.Equal("", files.Run(template, "OWN=one", out var failure, passesClosed: true));
        Assert.Equal(new ChildProcess.Failure(SpawnStage.Descriptors, 9, 2), failure);
        Assert.Null(files.Status);
    }

    [Fact]
    public void Hundreds_of_children_at_once_get_the_variables_of_their_own()
    {
        using var files = new PinnedProgram("echo \"$OWN\"");
        using var template = files.Template();
        ChildProcess.Expect(64);
        var started = Enumerable.Range(0, 300)
            .Select(number => files.Start(template, $"OWN={number.ToString(CultureInfo.InvariantCulture)}", passesClosed: false)).ToArray();
        ChildProcess.Finish();
        for (var i = 0; i < started.Length; i++)
        {
            Assert.Equal(i.ToString(CultureInfo.InvariantCulture) + "\n", files.End(started[i], out var failure));
            Assert.Null(failure);
        }
    }

    /// <summary>A program, an ELF file that runs a script, and its pin.</summary>
    private sealed class PinnedProgram : IDisposable
    {
        private readonly TemporaryDirectory _directory = new();
        private readonly DescriptorHandle _nothing = Files.Open("/dev/null", 2, 0, out _)!;
        private readonly ChildProcess.Plan _plan;
        private readonly DescriptorHandle _pinned;

        public PinnedProgram(string script)
        {
            File.Copy("/bin/sh", Program);
            File.SetUnixFileMode(Program, (UnixFileMode)0x1ED);
            _plan = new ChildProcess.Plan
            {
                Path = Program,
                Arguments = ["sh", "-c", script],
                Environment = ["COMMON=all"],
                PidVariables = ["LISTEN_PID"],
                Descriptors = [_nothing, _nothing, _nothing],
            };

            // As for the first worker of a generation: the launcher reports what it executes.
            var first = ChildProcess.Start(_plan with { Arguments = ["sh", "-c", ":"], ReportsPins = true }, out _)!;
            ChildProcess.Finish();
            Child.End(new Child.Started(first.Pid, first.Pidfd));
            Assert.True(first.TryGetOutcome(out _));
            var pin = Assert.Single(first.TakePins());
            first.Dispose();
            _pinned = pin.Descriptor!;
            _plan = _plan with
            {
                Pins = new Dictionary<PinKind, LaunchPin>
                {
                    [PinKind.Program] = new(pin.Device, pin.Inode, pin.OwnPath, Program, _pinned),
                },
            };
        }

        public DescriptorHandle? Status { get; private set; }

        public IReadOnlyList<PinReport> Reports { get; private set; } = [];

        private string Program => _directory["program"];

        public LaunchTemplate Template() => new(_plan);

        public void Replace()
        {
            File.Copy("/bin/false", _directory["other"]);
            File.Move(_directory["other"], Program, overwrite: true);
        }

        public void ForbidExecution() => File.SetUnixFileMode(Program, (UnixFileMode)0x1A4);

        public (LaunchedProcess Process, DescriptorHandle Reader) Start(LaunchTemplate template, string own, bool passesClosed)
        {
            Assert.Null(Files.Pipe(out var reader, out var writer));
            var closed = Files.Open("/dev/null", 2, 0, out _)!;
            closed.Dispose();
            var process = ChildProcess.Start(
                template, [_nothing, writer!, passesClosed ? closed : _nothing], null, [writer!], [own], isWatched: false, out var failure);
            Assert.Equal(default, failure);
            return (process!, reader!);
        }

        public string Run(LaunchTemplate template, string own, out ChildProcess.Failure? failure, bool passesClosed = false)
        {
            var started = Start(template, own, passesClosed);
            ChildProcess.Finish();
            return End(started, out failure);
        }

        public string End((LaunchedProcess Process, DescriptorHandle Reader) started, out ChildProcess.Failure? failure)
        {
            using var process = started.Process;
            using var reader = started.Reader;
            var output = Child.ReadToEnd(reader);
            Child.End(new Child.Started(process.Pid, process.Pidfd));
            Assert.True(process.TryGetOutcome(out failure));
            (Status, Reports) = (process.Status, process.TakePins());
            return output;
        }

        public void Dispose()
        {
            _pinned.Dispose();
            _nothing.Dispose();
            _directory.Dispose();
        }
    }
}
