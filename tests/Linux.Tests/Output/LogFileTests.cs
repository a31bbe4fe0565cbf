using Microsoft.Extensions.Time.Testing;
using Serilog.Events;
using Supervisor.Core;
using Supervisor.Linux.Output;
using Supervisor.Linux.Tests.Kernel;

namespace Supervisor.Linux.Tests.Output;

/// <summary>Log files that other programs rotate, and files that cannot be written.</summary>
public class LogFileTests : KernelTest
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Fact]
    public void Lines_are_appended_to_an_existing_log_file()
    {
        File.WriteAllText(Path, "before\n");
        using var file = new LogFile(Path, _time, Given.Log().Log);
        Write(file, "one", "two");
        Write(file, "ü");
        Assert.Equal("before\none\ntwo\nü\n", File.ReadAllText(Path));
    }

    [Fact]
    public void A_new_log_file_is_accessible_to_its_owner_and_group()
    {
        using var umask = new Umask(0x12);
        using var file = new LogFile(Path, _time, Given.Log().Log);
        Write(file, "one");
        Assert.Equal((UnixFileMode)LogFile.Mode, File.GetUnixFileMode(Path));
    }

    [Fact]
    public void A_rotation_by_rename_is_detected_within_a_second()
    {
        using var file = new LogFile(Path, _time, Given.Log().Log);
        Write(file, "one");
        File.Move(Path, Path + ".1");
        Write(file, "two");
        _time.Advance(TimeSpan.FromSeconds(1));
        Write(file, "three");
        Assert.Equal(("one\ntwo\n", "three\n"), (File.ReadAllText(Path + ".1"), File.ReadAllText(Path)));
    }

    [Fact]
    public void A_rotation_by_copy_and_truncation_needs_no_notice()
    {
        using var file = new LogFile(Path, _time, Given.Log().Log);
        Write(file, "one");
        File.WriteAllText(Path, "");
        Write(file, "two");
        Assert.Equal("two\n", File.ReadAllText(Path));
    }

    [Fact]
    public void A_log_file_that_cannot_open_is_logged_once_and_retried()
    {
        var (log, events) = Given.Log();
        var path = _directory["absent/out.log"];
        using var file = new LogFile(path, _time, log);
        Write(file, "one");
        Write(file, "two", "three");
        Assert.Equal(LogEventLevel.Error, Assert.Single(events).Level);
        Assert.Contains("ENOENT", events[0].RenderMessage(null), StringComparison.Ordinal);

        Directory.CreateDirectory(_directory["absent"]);
        _time.Advance(TimeSpan.FromSeconds(1));
        Write(file, "four");
        Assert.Equal("four\n", File.ReadAllText(path));
        Assert.Equal((MessageIds.LogFileRecovered, "3"), (events[1].Field("MESSAGE_ID"), events[1].Field("Lines")));
        Assert.Equal(2, events.Count);
    }

    [Fact]
    public void A_full_disk_loses_lines_and_is_reported_once()
    {
        var (log, events) = Given.Log();
        using var file = new LogFile("/dev/full", _time, log);
        Write(file, "one");
        Write(file, "two");
        Assert.Contains("ENOSPC", Assert.Single(events).RenderMessage(null), StringComparison.Ordinal);
    }

    [Fact]
    public void The_pieces_of_a_long_line_are_one_line()
    {
        using var file = new LogFile(Path, _time, Given.Log().Log);
        file.Write([Piece(1, "one "), Piece(1, "long ", continues: true)]);
        file.Write([Piece(1, "line", continues: true, isCut: false), Piece(2, "next", isCut: false)]);
        Assert.Equal("one long line\nnext\n", File.ReadAllText(Path));
    }

    [Fact]
    public void A_line_that_comes_between_two_pieces_is_a_line_of_its_own()
    {
        using var file = new LogFile(Path, _time, Given.Log().Log);
        file.Write([Piece(1, "long "), Piece(2, "other", isCut: false), Piece(1, "rest", continues: true, isCut: false)]);
        file.Write([Piece(1, "cut"), Piece(1, "error", isCut: false) with { IsError = true }]);
        Assert.Equal("long \nother\nrest\ncut\nerror\n", File.ReadAllText(Path));
    }

    [Fact]
    public void A_long_line_goes_on_in_the_new_file_after_a_rotation()
    {
        using var file = new LogFile(Path, _time, Given.Log().Log);
        file.Write([Piece(1, "long ")]);
        File.Move(Path, Path + ".1");
        _time.Advance(TimeSpan.FromSeconds(1));
        file.Write([Piece(1, "line", continues: true, isCut: false)]);
        Assert.Equal(("long ", "line\n"), (File.ReadAllText(Path + ".1"), File.ReadAllText(Path)));
    }

    [Fact]
    public void A_log_queue_writes_all_its_lines_before_it_ends()
    {
        var queue = new OutputQueue(new LogFile(Path, TimeProvider.System, Given.Log().Log));
        for (var i = 0; i < 2000; i++)
        {
            queue.Write(new OutgoingLine(1, 1, 6, "line"));
        }

        queue.Dispose();
        Assert.Equal(2000, File.ReadLines(Path).Count());
    }

    private string Path => _directory["out.log"];

    private static OutgoingLine Piece(int pid, string text, bool continues = false, bool isCut = true) =>
        new(pid, 1, 6, text) { Continues = continues, IsCut = isCut };

    private static void Write(LogFile file, params string[] lines) =>
        file.Write([.. lines.Select(line => new OutgoingLine(1, 1, 6, line))]);
}
